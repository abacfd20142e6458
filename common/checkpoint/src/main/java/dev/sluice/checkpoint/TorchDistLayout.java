package dev.sluice.checkpoint;

import dev.sluice.checkpoint.MegatronTensor.Box;
import dev.sluice.checkpoint.MegatronTensor.Part;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/** Lays a torch_dist iteration out: where each tensor's bytes go, and the small files around them. */
final class TorchDistLayout {
    /** What slime's converter records in a release; Megatron starts a release at iteration 0 whatever stands there. */
    private static final long RELEASE_ITERATION = 1;

    private static final byte[] FORMAT =
            "{\"sharded_backend\": \"torch_dist\", \"sharded_backend_version\": 1, \"common_backend\": \"torch\", \"common_backend_version\": 1}"
                    .getBytes(StandardCharsets.UTF_8);

    private final TrainedModel model;
    private final String directory;
    private final DistributedItems items;

    private TorchDistLayout(TrainedModel model, String directory) {
        this.model = model;
        this.directory = directory;
        this.items = new DistributedItems(directory);
    }

    /** The iteration's files in a directory of their own. */
    static OutputLayout ofIteration(TrainedModel model) {
        return new TorchDistLayout(model, "").layout();
    }

    /** A whole checkpoint with this iteration and the tracker that makes it current. */
    static OutputLayout ofRoot(TrainedModel model) {
        OutputLayout iteration = new TorchDistLayout(model, TorchDistDirectory.name(model.iteration()) + "/").layout();
        List<SmallFile> files = new ArrayList<>(iteration.smallFiles());
        files.add(SmallFile.of(TorchDistDirectory.TRACKER, tracker(model)));
        return new OutputLayout(iteration.files(), files);
    }

    /** Content of the tracker file that makes this iteration current. */
    static byte[] tracker(TrainedModel model) {
        String content = model.iteration().isPresent()
                ? Long.toString(model.iteration().getAsLong())
                : TorchDistDirectory.RELEASE;
        return content.getBytes(StandardCharsets.US_ASCII);
    }

    private OutputLayout layout() {
        ModelConfig config = new ModelConfig(model.config());
        Map<String, TensorSource> weights = byName(model.weights());
        boolean nextToken = ModelProblems.hasNextTokenLayer(config, weights);
        ModelPlan plan = ModelPlan.of(config, Naming.UNIVERSAL, nextToken);
        ModelPlan slim = ModelPlan.of(config, Naming.TRANSFORMER_ENGINE, nextToken);
        try {
            for (MegatronTensor tensor : plan.tensors()) {
                tensor(tensor, "", weights);
            }
            for (Map.Entry<String, List<TensorSource>> family : new TreeMap<>(model.optimizerStates()).entrySet()) {
                family(slim, TorchDistWriter.OPTIMIZER_PREFIX + family.getKey() + ".", byName(family.getValue()));
            }
        } catch (IOException e) {
            throw new java.io.UncheckedIOException("memory does not fail", e);
        }
        return states(plan, nextToken);
    }

    /** Families hold what was trained: a tensor is left out only if all of its parts are. */
    private void family(ModelPlan plan, String prefix, Map<String, TensorSource> states) throws IOException {
        Set<String> left = new HashSet<>(states.keySet());
        for (MegatronTensor tensor : plan.tensors()) {
            boolean any = false;
            for (Box box : tensor.boxes()) {
                // A name comes up once for each of its boxes.
                any |= states.containsKey(box.cut().name());
                left.remove(box.cut().name());
            }
            if (any) {
                tensor(tensor, prefix, states);
            }
        }
        if (!left.isEmpty()) {
            throw new CheckpointException("%s belongs to no weight of the model: %s".formatted(prefix, left));
        }
    }

    private void tensor(MegatronTensor tensor, String prefix, Map<String, TensorSource> sources) throws IOException {
        String key = prefix + tensor.key();
        List<TensorChunk> chunks = new ArrayList<>();
        DType dtype = PartSource.of(tensor, tensor.parts().getFirst(), sources).dtype();
        for (Part part : tensor.parts()) {
            TensorSource source = PartSource.of(tensor, part, sources);
            if (source.dtype() != dtype) {
                throw new CheckpointException("%s is %s, but other parts of %s are %s; give all of them one type"
                        .formatted(source.name(), source.dtype(), tensor.key(), dtype));
            }
            chunks.add(items.chunk(key, source, part, Shape.bytes(dtype, part.sizes()) - source.bytes()));
        }
        items.tensor(new ShardedTensor(key, dtype, tensor.shape(), chunks));
    }

    private OutputLayout states(ModelPlan plan, boolean nextToken) {
        byte[] empty = PickleBytes.emptyExtraState();
        for (String key : plan.extraStates()) {
            items.bytes(key, empty);
        }
        Map<String, Object> common = new LinkedHashMap<>(MegatronArguments.commonState(
                new ModelConfig(model.config()), nextToken, model.iteration().orElse(RELEASE_ITERATION)));
        common.put(TorchDistWriter.SCALARS, new TreeMap<>(model.scalars()));
        // Both places: Megatron up to 0.18 reads only the file, later versions look for the item.
        items.bytes(TorchDistDirectory.COMMON_KEY, PickleBytes.commonItem(common));
        List<OutputFile> files = items.files();
        return new OutputLayout(
                files,
                List.of(
                        SmallFile.of(directory + TorchDistDirectory.METADATA, items.metadata()),
                        SmallFile.of(directory + TorchDistDirectory.COMMON, PickleBytes.commonFile(common)),
                        SmallFile.of(directory + TorchDistDirectory.FORMAT, FORMAT)));
    }

    private static Map<String, TensorSource> byName(Collection<TensorSource> sources) {
        Map<String, TensorSource> byName = new HashMap<>();
        for (TensorSource source : sources) {
            if (byName.put(source.name(), source) != null) {
                throw new CheckpointException("two tensors are named " + source.name());
            }
        }
        return byName;
    }
}
