package dev.sluice.trainer.wait;

import java.util.Arrays;
import java.util.stream.Collectors;

/** Everything that a run waits for in this service. The README's table is these values. */
public enum RunWait {
    CONVERSION(
            "the converted model",
            "converter",
            "sluice.trainer.waits.conversion",
            true,
            "the run is given up, another trainer may try (three times); the planner fails it earlier where the converter is silent"),
    START(
            "the run's start",
            "planner, which waits for an engine",
            "sluice.trainer.waits.engines",
            true,
            "as above; the planner fails it earlier where no engine is ready"),
    ENGINES(
            "as many engines as the plan has, which start before training takes their GPUs",
            "rollout instances",
            "sluice.trainer.waits.engines",
            true,
            "as above"),
    HAND_OVER(
            "engines that give their GPUs to training",
            "rollout instances; one of them may be starting an engine",
            "sluice.trainer.waits.hand-over",
            true,
            "the run is given up, another trainer may try: nothing is trained where an engine may still have the memory. "
                    + "A cancelled run waits `sluice.trainer.waits.last-hand-over` in all, then ends without its last cut"),
    GROUPS(
            "groups of a step",
            "rollout instances; single groups are given to others by `sluice.trainer.leases.*` long before",
            "sluice.trainer.waits.results",
            true,
            "the step goes on with what is ready, from `rollout.fewestGroups` on (0: never); else as above"),
    STALE_GROUPS(
            "groups that would be too old after the next publication",
            "rollout instances",
            "sluice.trainer.waits.stale-groups",
            false,
            "the step goes on without them"),
    WORKER_START(
            "a worker's first answer",
            "worker",
            "sluice.trainer.worker.start-deadline",
            false,
            "another is started (`sluice.trainer.worker.restarts`), then the run is given up"),
    WORKER_LOAD(
            "the model in the worker",
            "worker",
            "sluice.trainer.worker.call-deadline",
            false,
            "the worker is ended and another one loads the newest cut"),
    TEACHER(
            "the teacher's word on a step",
            "the server at `algorithm.distillation.teacher`",
            "sluice.trainer.waits.teacher",
            true,
            "the run is given up, another trainer may try; at once where the server answers wrongly"),
    TRAINING(
            "the training of a step",
            "worker",
            "sluice.trainer.worker.call-deadline",
            true,
            "the worker is ended, another one goes on from the newest cut and the log"),
    EXPORT("new weights", "worker", "sluice.trainer.worker.call-deadline", true, "as above"),
    SENDING(
            "weights on their way from the worker's memory into the engines'",
            "worker and engines",
            "sluice.trainer.worker.call-deadline",
            true,
            "as above; the engines that waited are replaced, and after two failures in a row weights go as files"),
    MEMORY(
            "the worker's memory on its way between GPU and host",
            "worker",
            "sluice.trainer.worker.call-deadline",
            true,
            "as above"),
    CUT("a cut", "worker", "sluice.trainer.worker.call-deadline", false, "as above"),
    CUT_BESIDE(
            "the cut that is written beside training",
            "worker",
            "sluice.trainer.worker.call-deadline",
            true,
            "as above; only the next cut and the end wait for it"),
    RECEIVERS(
            "engines that stand still for new weights",
            "rollout instances",
            "sluice.trainer.waits.receivers",
            true,
            "weights go to those that do, at once where the run is being cancelled; the others are replaced by their instances"),
    DISK_SPACE(
            "disk space for a cut",
            "a person",
            "sluice.trainer.waits.disk-space",
            true,
            "the run is given up, older cuts stay; a cut in between is waited for only with `checkpoints.whenDiskIsFull: wait`"),
    EVALUATION(
            "an evaluation that newer weights, another evaluation or the end waits for",
            "rollout instances",
            "sluice.trainer.waits.evaluation",
            true,
            "it ends with the prompts that were measured"),
    GUARD(
            "somebody's word after a guard's pause",
            "a person",
            "guards[].pauseMinutes",
            true,
            "the run fails, its cuts stay"),
    LEFTOVERS(
            "groups in flight when no step follows",
            "rollout instances",
            "sluice.trainer.waits.leftovers",
            false,
            "they are withdrawn and dropped with a reason"),
    BROKER(
            "a broker that does not answer",
            "Kafka",
            "sluice.trainer.kafka-deadline",
            false,
            "this service ends (exit code 4) and its runs go to others");

    private final String what;
    private final String owner;
    private final String key;
    private final boolean shown;
    private final String then;

    RunWait(String what, String owner, String key, boolean shown, String then) {
        this.what = what;
        this.owner = owner;
        this.key = key;
        this.shown = shown;
        this.then = then;
    }

    /** What is awaited, as people are told. */
    public String what() {
        return what;
    }

    /** Where its bound stands. */
    public String key() {
        return key;
    }

    /** Whether it is published as {@code WaitChanged} while it lasts. */
    public boolean isShown() {
        return shown;
    }

    /** All of them, as rows of a table. */
    public static String table() {
        return Arrays.stream(values())
                .map(wait -> "| %s | %s | `%s` | %s | %s |"
                        .formatted(wait.what, wait.owner, wait.key, wait.shown ? "`WaitChanged`" : "log", wait.then))
                .collect(Collectors.joining("\n"));
    }
}
