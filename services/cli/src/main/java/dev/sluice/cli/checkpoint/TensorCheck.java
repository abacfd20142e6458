package dev.sluice.cli.checkpoint;

import dev.sluice.checkpoint.DType;
import dev.sluice.checkpoint.Elements;
import dev.sluice.checkpoint.FloatTypes;
import dev.sluice.checkpoint.Window;
import dev.sluice.cli.checkpoint.TensorVerdict.Kind;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;

/** Compares one tensor of two checkpoints: bytes where the types agree, else values. */
final class TensorCheck {
    /** Few enough that the decoded numbers stay in the processor's cache. */
    private static final int BLOCK = 4096;

    private final CheckpointPair.Match match;
    private final TensorPair pair;
    private final DType typeA;
    private final DType typeB;
    private final double[] valuesA = new double[BLOCK];
    private final double[] valuesB = new double[BLOCK];
    private long different;
    private boolean rounded;
    private String first = "";

    private TensorCheck(CheckpointPair checkpoints, CheckpointPair.Match match) {
        this.match = match;
        pair = new TensorPair(checkpoints, match);
        typeA = match.a().dtype();
        typeB = match.b().dtype();
    }

    static TensorVerdict of(CheckpointPair checkpoints, CheckpointPair.Match match) {
        return new TensorCheck(checkpoints, match).verdict();
    }

    private TensorVerdict verdict() {
        long padded = pair.paddedRows();
        if (!pair.sameShape() && padded == 0) {
            return different(
                    "shape %s against %s".formatted(match.a().shape(), match.b().shape()));
        }
        if (!pair.comparable()) {
            return different("%s cannot be held against %s%s"
                    .formatted(typeA, typeB, pair.quantised() ? "; dequantise the checkpoint first" : ""));
        }
        pair.read(this::compare);
        if (different > 0) {
            return different("%,d of %,d elements, the first at %s"
                    .formatted(different, match.a().bytes() / typeA.bytes(), first));
        }
        String rows = padded == 0
                ? ""
                : "%s has %d more rows, which pad its vocabulary".formatted(padded > 0 ? "A" : "B", Math.abs(padded));
        String types = typeA == typeB ? "" : typeA + " against " + typeB;
        Kind kind = typeA == typeB ? Kind.EQUAL : rounded ? Kind.ROUNDED : Kind.SAME_VALUES;
        return new TensorVerdict(match.name(), kind, types + (types.isEmpty() || rows.isEmpty() ? "" : "; ") + rows);
    }

    private TensorVerdict different(String detail) {
        return new TensorVerdict(match.name(), Kind.DIFFERENT, detail);
    }

    private boolean compare(Window window, ByteBuffer a, ByteBuffer b) {
        if (typeA == typeB && a.mismatch(b) < 0) {
            return true;
        }
        for (int done = 0; done < window.elements(); done += BLOCK) {
            block(window, a, b, done, Math.min(BLOCK, window.elements() - done));
        }
        return true;
    }

    private void block(Window window, ByteBuffer a, ByteBuffer b, int from, int count) {
        ByteBuffer blockA = slice(a, typeA, from, count);
        ByteBuffer blockB = slice(b, typeB, from, count);
        if (typeA == typeB && blockA.mismatch(blockB) < 0) {
            return;
        }
        Elements.decode(blockA, typeA, valuesA, count);
        Elements.decode(blockB, typeB, valuesB, count);
        for (int i = 0; i < count; i++) {
            boolean same = typeA == typeB
                    ? sameBytes(blockA, blockB, i, typeA.bytes())
                    : sameNumber(valuesA[i], valuesB[i]) || sameWhenRounded(valuesA[i], valuesB[i]);
            if (!same && different++ == 0) {
                first = "%s: %s against %s".formatted(place(window, from + i), valuesA[i], valuesB[i]);
            }
        }
    }

    private static ByteBuffer slice(ByteBuffer data, DType type, int first, int count) {
        return data.slice(first * type.bytes(), count * type.bytes()).order(ByteOrder.LITTLE_ENDIAN);
    }

    private static boolean sameBytes(ByteBuffer a, ByteBuffer b, int element, int width) {
        int at = element * width;
        return switch (width) {
            case 1 -> a.get(at) == b.get(at);
            case 2 -> a.getShort(at) == b.getShort(at);
            case 4 -> a.getInt(at) == b.getInt(at);
            default -> a.getLong(at) == b.getLong(at);
        };
    }

    private static boolean sameNumber(double a, double b) {
        return Double.doubleToLongBits(a) == Double.doubleToLongBits(b);
    }

    private boolean sameWhenRounded(double a, double b) {
        boolean same = typeA.bytes() > typeB.bytes()
                ? sameNumber(round(a, typeB), b)
                : typeB.bytes() > typeA.bytes() && sameNumber(round(b, typeA), a);
        rounded |= same;
        return same;
    }

    private static double round(double value, DType type) {
        return switch (type) {
            case BF16 -> FloatTypes.fromBfloat16(FloatTypes.toBfloat16((float) value));
            case F16 -> Float.float16ToFloat(Float.floatToFloat16((float) value));
            default -> (float) value;
        };
    }

    /** The element's index along each axis. */
    private List<Long> place(Window window, int element) {
        List<Long> shape = pair.shape();
        List<Long> place = new ArrayList<>();
        long rest = window.first() + element;
        for (int axis = shape.size() - 1; axis >= 0; axis--) {
            place.addFirst(rest % shape.get(axis));
            rest /= shape.get(axis);
        }
        return place;
    }
}
