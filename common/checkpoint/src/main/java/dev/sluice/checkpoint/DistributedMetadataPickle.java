package dev.sluice.checkpoint;

import dev.sluice.checkpoint.pickle.PickleValue;
import dev.sluice.checkpoint.pickle.PickleValue.Bool;
import dev.sluice.checkpoint.pickle.PickleValue.Dict;
import dev.sluice.checkpoint.pickle.PickleValue.Global;
import dev.sluice.checkpoint.pickle.PickleValue.Instance;
import dev.sluice.checkpoint.pickle.PickleValue.Int;
import dev.sluice.checkpoint.pickle.PickleValue.Sequence;
import dev.sluice.checkpoint.pickle.PickleValue.Text;
import dev.sluice.checkpoint.pickle.PickleValue.Tuple;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Describes stored tensors and byte items as torch's own metadata objects. */
final class DistributedMetadataPickle {
    private static final String METADATA = "torch.distributed.checkpoint.metadata";
    private static final String FILESYSTEM = "torch.distributed.checkpoint.filesystem";

    private DistributedMetadataPickle() {}

    static PickleValue of(DistributedMetadata metadata) {
        Dict states = new Dict();
        Dict storage = new Dict();
        metadata.tensors().forEach((key, tensor) -> {
            states.put(key, tensor(tensor));
            for (int i = 0; i < tensor.chunks().size(); i++) {
                TensorChunk chunk = tensor.chunks().get(i);
                storage.put(index(key, chunk.offsets(), new Int(i)), info(chunk.stored()));
            }
        });
        metadata.byteItems().forEach((key, stored) -> {
            states.put(key, object(METADATA, "BytesStorageMetadata", new Dict()));
            storage.put(index(key, null, PickleValue.NONE), info(stored));
        });
        return object(
                METADATA,
                "Metadata",
                new Dict()
                        .put("state_dict_metadata", states)
                        .put("planner_data", PickleValue.NONE)
                        .put("storage_data", storage)
                        .put("storage_meta", PickleValue.NONE)
                        .put("version", PickleValue.NONE));
    }

    private static Instance tensor(ShardedTensor tensor) {
        List<Instance> chunks = tensor.chunks().stream()
                .map(chunk -> object(
                        METADATA,
                        "ChunkStorageMetadata",
                        new Dict()
                                .put("offsets", PickledNumbers.size(chunk.offsets()))
                                .put("sizes", PickledNumbers.size(chunk.sizes()))))
                .toList();
        return object(
                METADATA,
                "TensorStorageMetadata",
                new Dict()
                        .put("properties", object(METADATA, "TensorProperties", properties(tensor.dtype())))
                        .put("size", PickledNumbers.size(tensor.shape()))
                        .put("chunks", Sequence.of(chunks)));
    }

    /** dtype, layout, requires_grad, memory format (0 = contiguous), pin_memory. */
    private static PickleValue properties(DType dtype) {
        return Tuple.of(
                TorchTypes.dtypeName(dtype),
                new Global("torch.serialization", "_get_layout").call(new Text("torch.strided")),
                new Bool(false),
                new Global(METADATA, "_MEM_FORMAT_ENCODING").call(new Int(0)),
                new Bool(false));
    }

    private static PickleValue index(String key, @Nullable List<Long> offsets, PickleValue hint) {
        return object(
                METADATA,
                "MetadataIndex",
                new Dict()
                        .put("fqn", new Text(key))
                        .put("offset", offsets == null ? PickleValue.NONE : PickledNumbers.size(offsets))
                        .put("index", hint));
    }

    private static PickleValue info(StoredItem stored) {
        return object(
                FILESYSTEM,
                "_StorageInfo",
                new Dict()
                        .put("relative_path", new Text(stored.file()))
                        .put("offset", new Int(stored.offset()))
                        .put("length", new Int(stored.length())));
    }

    private static Instance object(String module, String name, PickleValue state) {
        return new Global(module, name).create().withState(state);
    }
}
