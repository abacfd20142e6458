package dev.sluice.events;

import java.util.List;
import org.jspecify.annotations.Nullable;

/** Publications of weights, written by the run's trainer. */
public sealed interface WeightEvent extends Event {

    @About("A weight version that engines are to load")
    record WeightsPublished(
            @About("The run") String runId,
            @About("Epoch of the trainer") int epoch,

            @About("One more a publication; 0 is the source")
            int version,

            @About("Steps trained into it") int step,
            @About("How it travels") TrainingRequest.Transport transport,

            @About("Directory of its files; absent where it goes from the worker's memory into the engines'") @Nullable
            String directory,

            @About("Hash of manifest.json in it; absent for version 0") @Nullable
            String manifestSha256,

            @About("The version it replaces after retraining on a backend that is not deterministic") @Nullable
            Integer supersedes,

            @About("What changed since the version before; absent where engines are to load all of it") @Nullable
            WeightDelta delta)
            implements WeightEvent {

        /** A version without a delta. */
        public WeightsPublished(
                String runId,
                int epoch,
                int version,
                int step,
                TrainingRequest.Transport transport,
                @Nullable String directory,
                @Nullable String manifestSha256,
                @Nullable Integer supersedes) {
            this(runId, epoch, version, step, transport, directory, manifestSha256, supersedes, null);
        }
    }

    @About("What changed between two weight versions, as slime's disk deltas have it")
    record WeightDelta(
            @About("The version that it is applied to") int base,

            @About("Directory of its files, named weight_v and six digits")
            String directory,

            @About("Hash of manifest.json in it") String manifestSha256,
            @About("Bytes of its tensors' frames") long wireBytes) {}

    @About("A weight version whose files are gone")
    record WeightsRetired(
            @About("The run") String runId,
            @About("Epoch of the trainer") int epoch,
            @About("The version") int version) implements WeightEvent {}

    @About("What engines are to do with their GPUs from now on; each instance answers with PhaseReached")
    record PhaseChanged(
            @About("The run") String runId,
            @About("Epoch of the trainer") int epoch,

            @About("One more each time in a run, whatever the epoch")
            int number,

            @About("What they are to do") Phase phase,

            @About("With GENERATE: the weight version that engines go on with")
            int weightVersion,

            @About(
                    "With GENERATE: engines into whose memory the worker has put that version; one that stood still for it and is not among them holds nothing to be trusted, and is replaced")
            List<String> engines)
            implements WeightEvent {
        public PhaseChanged {
            engines = engines == null ? List.of() : List.copyOf(engines);
        }
    }

    /** What engines do with their GPUs while training and generation take turns on them, or while weights move. */
    enum Phase {
        /** Give all memory back: the worker has it. */
        TRAIN,
        /** Stand still with memory for weights and nothing else: the worker puts them there. */
        SYNC,
        /** Take all memory and work. */
        GENERATE
    }
}
