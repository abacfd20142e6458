package dev.sluice.cli.checkpoint;

import dev.sluice.checkpoint.Conversion;
import dev.sluice.checkpoint.ConversionPlan;
import dev.sluice.checkpoint.ConversionPreview;
import dev.sluice.checkpoint.HuggingFaceWriter;
import java.nio.file.Path;
import java.util.List;

/** The one place that calls the library's conversion. */
record Copying(ConversionOrder order) {
    /** What the person is told when the copy was stopped and has cleaned up. */
    static final String AFTER_STOP =
            "nothing that looks like a checkpoint is left; give the same command again to go on where it stopped";

    /** What a copy wrote. */
    record Written(int tensors, long bytes, List<String> carriedOver) {}

    /** Told how many bytes are copied of how many; may throw to stop the copy, which then leaves nothing that looks like a checkpoint. */
    interface Watcher {
        void at(long bytesDone, long bytesTotal);
    }

    ConversionPreview preview() {
        return switch (order.direction()) {
            case TO_TORCH_DIST -> ConversionPreview.toTorchDist(order.in());
            case TO_HUGGING_FACE -> ConversionPreview.toHuggingFace(order.in(), order.exportSource());
        };
    }

    /** Only where the preview found no problem. */
    ConversionPlan plan() {
        return switch (order.direction()) {
            case TO_TORCH_DIST -> Conversion.planToTorchDist(order.in(), order.out());
            case TO_HUGGING_FACE ->
                Conversion.planToHuggingFace(order.in(), order.exportSource(), order.out(), shardBytes());
        };
    }

    private long shardBytes() {
        return order.shardBytes().orElse(HuggingFaceWriter.DEFAULT_SHARD_BYTES);
    }

    Written run(Watcher watcher) {
        Path in = order.in();
        Conversion.Result result = switch (order.direction()) {
            case TO_TORCH_DIST -> Conversion.toTorchDist(in, order.out(), watcher::at);
            case TO_HUGGING_FACE ->
                Conversion.toHuggingFace(in, order.exportSource(), order.out(), shardBytes(), watcher::at);
        };
        return new Written(result.tensors(), result.bytes(), result.carriedOver());
    }
}
