package dev.sluice.checkpoint;

import dev.sluice.checkpoint.pickle.PickleValue;
import dev.sluice.checkpoint.pickle.PickleValue.Sequence;
import dev.sluice.checkpoint.pickle.PickleWriter;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.channels.Channels;
import java.util.List;
import java.util.Map;

/** The small pickled objects of a torch_dist checkpoint as bytes. */
final class PickleBytes {
    private PickleBytes() {}

    static byte[] metadata(DistributedMetadata metadata) {
        return PickleWriter.write(DistributedMetadataPickle.of(metadata));
    }

    /** {@code data.pkl} of one tensor. */
    static byte[] tensor(DType dtype, List<Long> shape) {
        return PickleWriter.write(TorchTensor.pickle(dtype, shape));
    }

    /** A whole {@code common.pt}. */
    static byte[] commonFile(Map<String, ?> state) {
        return archive("common", CommonState.pickle(state));
    }

    /** The common state as an item inside the data: a list of one dict. */
    static byte[] commonItem(Map<String, ?> state) {
        return archive("archive", Sequence.of(List.of(CommonState.pickle(state))));
    }

    /** What TransformerEngine stores for a layer without fp8: a list of one empty byte tensor. */
    static byte[] emptyExtraState() {
        byte[] pickle = PickleWriter.write(Sequence.of(List.of(TorchTensor.pickle(DType.U8, List.of(0L)))));
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try {
            TorchArchiveWriter.write(Channels.newChannel(bytes), pickle, channel -> {});
        } catch (IOException e) {
            throw new UncheckedIOException("memory does not fail", e);
        }
        return bytes.toByteArray();
    }

    private static byte[] archive(String root, PickleValue value) {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try {
            TorchArchiveWriter.write(Channels.newChannel(bytes), root, PickleWriter.write(value));
        } catch (IOException e) {
            throw new UncheckedIOException("memory does not fail", e);
        }
        return bytes.toByteArray();
    }
}
