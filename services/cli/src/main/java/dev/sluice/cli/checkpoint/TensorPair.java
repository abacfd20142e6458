package dev.sluice.cli.checkpoint;

import dev.sluice.checkpoint.CheckpointView;
import dev.sluice.checkpoint.DType;
import dev.sluice.checkpoint.TensorEntry;
import dev.sluice.checkpoint.TensorReader;
import dev.sluice.checkpoint.Window;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import java.util.regex.Pattern;

/** The same tensor of two checkpoints, read in step. */
final class TensorPair {
    /** 4 MiB of bfloat16. */
    static final int WINDOW_ELEMENTS = 1 << 21;

    private static final Set<DType> FLOATS = EnumSet.of(DType.F64, DType.F32, DType.F16, DType.BF16);
    private static final Set<DType> QUANTISED = EnumSet.of(DType.F8_E4M3, DType.F8_E5M2);

    /** Tensors with a row for each token; Megatron adds rows until their number is a multiple of 64. */
    private static final Pattern VOCABULARY =
            Pattern.compile("(.*\\.)?(word_embeddings|output_layer|embed_tokens|lm_head|head)\\.weight");

    private static final int VOCABULARY_MULTIPLE = 64;

    private final TensorEntry a;
    private final TensorEntry b;
    private final CheckpointView viewA;
    private final CheckpointView viewB;

    TensorPair(CheckpointPair checkpoints, CheckpointPair.Match match) {
        a = match.a();
        b = match.b();
        viewA = checkpoints.a();
        viewB = checkpoints.b();
    }

    /** Sees the windows of both; the buffers' positions are its own. */
    interface Visitor {
        /** @return whether more is wanted */
        boolean window(Window window, ByteBuffer a, ByteBuffer b);
    }

    boolean sameType() {
        return a.dtype() == b.dtype();
    }

    /** Whether numbers of the one can be held against those of the other: block-quantised ones need their scales first. */
    boolean comparable() {
        return sameType() || FLOATS.contains(a.dtype()) && FLOATS.contains(b.dtype());
    }

    boolean quantised() {
        return QUANTISED.contains(a.dtype()) || QUANTISED.contains(b.dtype());
    }

    boolean sameShape() {
        return a.shape().equals(b.shape());
    }

    /** Rows that one of the two has more, positive if it is the first; 0 unless both are alike but for padding. */
    long paddedRows() {
        if (sameShape()
                || a.shape().size() != 2
                || b.shape().size() != 2
                || !a.shape().get(1).equals(b.shape().get(1))
                || !VOCABULARY.matcher(a.name()).matches()) {
            return 0;
        }
        long rowsA = a.shape().getFirst();
        long rowsB = b.shape().getFirst();
        return Math.max(rowsA, rowsB) % VOCABULARY_MULTIPLE == 0 ? rowsA - rowsB : 0;
    }

    /** Reads what both have; to be called if their shapes agree but for padding. */
    void read(Visitor visitor) {
        TensorReader readerA = viewA.reader(a.name());
        TensorReader readerB = viewB.reader(b.name());
        for (Window window : Window.of(shape(), WINDOW_ELEMENTS)) {
            if (!visitor.window(window, readerA.read(window), readerB.read(window))) {
                return;
            }
        }
    }

    /** The shape that both have. */
    List<Long> shape() {
        List<Long> shape = new ArrayList<>(a.shape());
        if (!shape.isEmpty()) {
            shape.set(0, Math.min(a.shape().getFirst(), b.shape().getFirst()));
        }
        return shape;
    }
}
