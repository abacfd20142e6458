package dev.sluice.events;

import java.util.List;
import org.jspecify.annotations.Nullable;

/** Conversions between Hugging Face and torch_dist, written by the converter. */
public sealed interface CheckpointEvent extends Event {

    enum Direction {
        TO_TORCH_DIST,
        TO_HUGGING_FACE
    }

    @About("A conversion has begun")
    record ConversionStarted(
            @About("The run") String runId,
            @About("Which way") Direction direction,
            @About("Source directory") String source,
            @About("Bytes to copy") long bytesTotal)
            implements CheckpointEvent {}

    @About("A conversion goes on")
    record ConversionProgressed(
            @About("The run") String runId,
            @About("Which way") Direction direction,
            @About("Bytes copied") long bytesDone,
            @About("Bytes to copy") long bytesTotal,

            @About(
                    "What the copy waits for: who holds its target and since when, or the hash of its source; absent while bytes are copied")
            @Nullable
            String waitingFor)
            implements CheckpointEvent {

        /** Bytes are being copied. */
        public ConversionProgressed(String runId, Direction direction, long bytesDone, long bytesTotal) {
            this(runId, direction, bytesDone, bytesTotal, null);
        }
    }

    @About("The model lies in torch_dist form")
    record CheckpointConverted(
            @About("The run") String runId,
            @About("Source directory") String source,
            @About("torch_dist directory") String torchDist,
            @About("Tensors of the source") int tensors,
            @About("Bytes of the source's tensors") long bytes,
            @About("Seconds it took") double seconds,
            @About("It was in the cache already") boolean reused)
            implements CheckpointEvent {}

    @About("The trained model lies in Hugging Face form")
    record CheckpointExported(
            @About("The run") String runId,
            @About("Step of the cut it was made from") int step,
            @About("torch_dist directory of the cut") String torchDist,
            @About("Hugging Face directory") String huggingFace,

            @About("Tensors that the trained model lacks, taken from the source")
            List<String> carriedOver,

            @About("Seconds it took") double seconds)
            implements CheckpointEvent {}

    @About("A conversion failed; nothing half-written is left")
    record ConversionFailed(
            @About("The run") String runId,
            @About("Which way") Direction direction,
            @About("Source directory") String source,
            @About("Why, and what to do") String reason)
            implements CheckpointEvent {}
}
