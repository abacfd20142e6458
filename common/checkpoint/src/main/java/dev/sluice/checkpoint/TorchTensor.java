package dev.sluice.checkpoint;

import dev.sluice.checkpoint.pickle.PickleValue;
import dev.sluice.checkpoint.pickle.PickleValue.Bool;
import dev.sluice.checkpoint.pickle.PickleValue.Global;
import dev.sluice.checkpoint.pickle.PickleValue.Instance;
import dev.sluice.checkpoint.pickle.PickleValue.Int;
import dev.sluice.checkpoint.pickle.PickleValue.PersistentId;
import dev.sluice.checkpoint.pickle.PickleValue.Text;
import dev.sluice.checkpoint.pickle.PickleValue.Tuple;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

/**
 * One tensor of {@code torch.save}.
 *
 * @param data dense, row-major, little-endian
 */
record TorchTensor(DType dtype, List<Long> shape, ByteRange data) {
    private static final Global REBUILD = new Global("torch._utils", "_rebuild_tensor_v2");

    static TorchTensor read(ByteRange item, String where) {
        TorchArchive archive = TorchArchive.open(item, where);
        Described described = Described.of(archive.pickle(), where);
        ByteRange data = dense(archive.storage(described.storage), described.dtype, described.view, where);
        return new TorchTensor(described.dtype, described.view.shape, data);
    }

    /** Position of a dense tensor's first byte in its archive; its bytes are not looked at. */
    static long storageBegin(ByteRange item, String where) {
        TorchArchive archive = TorchArchive.open(item, where);
        Described described = Described.of(archive.pickle(), where);
        View view = described.view;
        checkInside(archive.storageBytes(described.storage) / described.dtype.bytes(), view, where);
        if (!view.stride.equals(denseStride(view.shape))) {
            throw new CheckpointException(where + " is stored with gaps, so that no range of bytes is the tensor");
        }
        return archive.storageBegin(described.storage) + view.offset * described.dtype.bytes();
    }

    /** What the pickle says of a tensor. */
    private record Described(DType dtype, String storage, View view) {
        static Described of(PickleValue pickle, String where) {
            if (pickle instanceof Instance call
                    && call.type().equals(REBUILD)
                    && call.arguments().size() >= 4
                    && call.arguments().get(0) instanceof PersistentId(Tuple(List<PickleValue> storage))
                    && storage.size() == 5
                    && storage.get(2) instanceof Text(String key)
                    && call.arguments().get(1) instanceof Int(long offset)) {
                DType dtype = TorchTypes.ofStorage(storage.get(1))
                        .orElseThrow(() -> new CheckpointException(where + " has a storage of unknown type"));
                List<Long> shape = PickledNumbers.list(call.arguments().get(2), where);
                List<Long> stride = PickledNumbers.list(call.arguments().get(3), where);
                return new Described(dtype, key, new View(offset, shape, stride));
            }
            throw new CheckpointException(where + " does not hold one tensor");
        }
    }

    /** The pickle of a dense tensor whose bytes are storage 0. */
    static PickleValue pickle(DType dtype, List<Long> shape) {
        Tuple storage = Tuple.of(
                new Text("storage"),
                TorchTypes.storageName(dtype),
                new Text("0"),
                new Text("cpu"),
                new Int(Shape.elements(shape)));
        return REBUILD.call(
                new PersistentId(storage),
                new Int(0),
                Tuple.of(shape),
                Tuple.of(denseStride(shape)),
                new Bool(false),
                new Global("collections", "OrderedDict").call());
    }

    private record View(long offset, List<Long> shape, List<Long> stride) {}

    private static ByteRange dense(ByteRange storage, DType dtype, View view, String where) {
        long elements = Shape.elements(view.shape);
        checkInside(storage.bytes() / dtype.bytes(), view, where);
        long begin = view.offset * dtype.bytes();
        if (elements <= 1 || view.stride.equals(denseStride(view.shape))) {
            return storage.range(elements == 0 ? 0 : begin, elements * dtype.bytes());
        }
        if (elements > storage.bytes() / dtype.bytes()) {
            throw new CheckpointException("%s repeats the %d bytes of its storage up to a tensor %s; save it as a copy"
                    .formatted(where, storage.bytes(), view.shape));
        }
        if (elements * dtype.bytes() > Integer.MAX_VALUE - 8) {
            throw new CheckpointException(
                    "%s is transposed or sliced and has more than 2 GiB; save it as a copy".formatted(where));
        }
        return ByteRange.of(gather(storage, dtype, view, (int) elements));
    }

    private static void checkInside(long storageElements, View view, String where) {
        long last = view.offset;
        boolean empty = view.shape.contains(0L);
        boolean fits = view.offset >= 0 && view.offset <= storageElements && view.stride.size() == view.shape.size();
        for (int axis = 0; fits && !empty && axis < view.shape.size(); axis++) {
            long stride = view.stride.get(axis);
            long steps = view.shape.get(axis) - 1;
            fits = stride >= 0 && (steps == 0 || stride <= storageElements / steps);
            last += fits ? stride * steps : 0;
        }
        if (!fits || !empty && last >= storageElements) {
            throw new CheckpointException(
                    "%s describes a tensor %s with offset %d and strides %s outside its storage of %d elements"
                            .formatted(where, view.shape, view.offset, view.stride, storageElements));
        }
    }

    /** Copies a transposed or sliced tensor element by element; Megatron saves none, but the format allows it. */
    private static ByteBuffer gather(ByteRange storage, DType dtype, View view, int elements) {
        int width = dtype.bytes();
        ByteBuffer dense = ByteBuffer.allocate(elements * width).order(ByteOrder.LITTLE_ENDIAN);
        for (long i = 0; i < elements; i++) {
            long rest = i;
            long at = view.offset;
            for (int axis = view.shape.size() - 1; axis >= 0; axis--) {
                at += rest % view.shape.get(axis) * view.stride.get(axis);
                rest /= view.shape.get(axis);
            }
            dense.put(storage.slice(at * width, width));
        }
        return dense.flip();
    }

    private static List<Long> denseStride(List<Long> shape) {
        List<Long> stride = new ArrayList<>();
        long step = 1;
        for (int axis = shape.size() - 1; axis >= 0; axis--) {
            stride.add(step);
            step *= Math.max(1, shape.get(axis));
        }
        Collections.reverse(stride);
        return stride;
    }
}
