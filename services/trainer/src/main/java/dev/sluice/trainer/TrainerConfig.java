package dev.sluice.trainer;

import dev.sluice.events.Backend;
import io.smallrye.config.ConfigMapping;
import io.smallrye.config.WithDefault;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Configuration of the trainer. */
@ConfigMapping(prefix = "sluice.trainer")
public interface TrainerConfig {
    Worker worker();

    Waits waits();

    Leases leases();

    WeightFiles weights();

    /** What this instance trains with; runs of another backend are not assigned to it. */
    @WithDefault("cpu")
    Backend backend();

    /** GPUs that this instance may use. */
    @WithDefault("0")
    int gpus();

    /** Runs that it trains at the same time. */
    @WithDefault("1")
    int slots();

    /** How often the instance says that it lives. */
    @WithDefault("2s")
    Duration heartbeat();

    /** What the addresses of teachers must begin with; none: no teacher is asked over HTTP. */
    Optional<List<String>> teacherUrls();

    /** Samples that a teacher is asked about at once. */
    @WithDefault("32")
    int teacherCalls();

    /** For one sample: a call that takes longer is made again. */
    @WithDefault("5m")
    Duration teacherCallDeadline();

    /** How long a broker that does not answer is tried again before this service ends to be started anew. */
    @WithDefault("60s")
    Duration kafkaDeadline();

    /** The training worker. */
    interface Worker {
        /** Program and leading arguments of the CPU worker; {@code --host}, {@code --port} and {@code --root} are added. */
        Optional<List<String>> command();

        /** Program that starts the ranks of the GPU worker; how many, where they meet, and their module are added. */
        @WithDefault("python3,-m,torch.distributed.run")
        List<String> gpuCommand();

        /** Module that each rank of the GPU worker runs. */
        @WithDefault("sluice_megatron")
        String gpuModule();

        /** Where other hosts reach this one, for workers of several nodes; absent: under its name. */
        Optional<String> meetingHost();

        /** Port at which the ranks of several nodes meet, on the host of the first. */
        @WithDefault("29400")
        int meetingPort();

        /** Environment of the worker besides its token. */
        Map<String, String> environment();

        /** From its start to its first answer. */
        @WithDefault("60s")
        Duration startDeadline();

        /** The same of the GPU worker, whose libraries take a while to be read. */
        @WithDefault("5m")
        Duration gpuStartDeadline();

        /** For one load, step, export or save. */
        @WithDefault("30m")
        Duration callDeadline();

        /** To end in order before it is killed. */
        @WithDefault("5s")
        Duration stopDeadline();

        /** A worker that hears nothing for 60 s ends itself. */
        @WithDefault("5s")
        Duration keepAlive();

        /** How often a worker that fails is started anew without a step in between. */
        @WithDefault("3")
        int restarts();
    }

    /** Bounds of waits. */
    interface Waits {
        /** Waits longer than this are shown as WaitChanged. */
        @WithDefault("2s")
        Duration shownAfter();

        /** For the model in torch_dist form. */
        @WithDefault("60m")
        Duration conversion();

        /** For the first engine; where engines and training share GPUs, for all of them before the first step. */
        @WithDefault("60m")
        Duration engines();

        /** For engines that give shared GPUs to training: one may be starting. */
        @WithDefault("15m")
        Duration handOver();

        /** The same, in all, while the run is being cancelled: below the planner's deadline for that. */
        @WithDefault("15s")
        Duration lastHandOver();

        /** For engines that stand still for weights from the worker's memory. */
        @WithDefault("60s")
        Duration receivers();

        /** For the groups of a step. */
        @WithDefault("60m")
        Duration results();

        /** For what a teacher on a server says of a step's samples. */
        @WithDefault("30m")
        Duration teacher();

        /** For the evaluation after a step, which ends then with what was measured: so long its weights are kept. */
        @WithDefault("60m")
        Duration evaluation();

        /** For space on the disk, where a run cannot go on without its cut. */
        @WithDefault("60m")
        Duration diskSpace();

        /** For groups that would be too old after the next publication, when enough others are ready. */
        @WithDefault("1s")
        Duration staleGroups();

        /** For groups in flight when no step follows. */
        @WithDefault("10s")
        Duration leftovers();
    }

    /** When a task is sent elsewhere. */
    interface Leases {
        /** An instance that was silent for so long is lost. */
        @WithDefault("6s")
        Duration heartbeat();

        /** A task that was not begun for so long is lost. */
        @WithDefault("15s")
        Duration start();

        /** Beyond the deadline that the instance was given. */
        @WithDefault("10s")
        Duration grace();

        /** A group older than this, and than three times the median, is given to a second instance too. */
        @WithDefault("30s")
        Duration straggler();
    }

    /** Files of weight versions. */
    interface WeightFiles {
        /** The newest so many versions stay. */
        @WithDefault("2")
        int keep();

        /** So do those that are younger. */
        @WithDefault("5m")
        Duration keepFor();
    }
}
