package dev.sluice.checkpoint;

import dev.sluice.checkpoint.MegatronTensor.Box;
import dev.sluice.checkpoint.MegatronTensor.Part;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/**
 * Writes torch_dist checkpoints that Megatron-Core 0.16 to 0.20 load, whether its layers are local or TransformerEngine's. Tensors are written one after
 * another and never held together. The iteration's directory appears complete; the tracker that makes it current comes last.
 */
public final class TorchDistWriter {
    /** Optimizer states lie under this prefix, the family, a dot and the key of their weight. */
    static final String OPTIMIZER_PREFIX = "optimizer.state.";

    static final String SCALARS = "sluice";

    /** What slime's converter records in a release; Megatron starts a release at iteration 0 whatever stands there. */
    private static final long RELEASE_ITERATION = 1;

    private static final byte[] FORMAT =
            "{\"sharded_backend\": \"torch_dist\", \"sharded_backend_version\": 1, \"common_backend\": \"torch\", \"common_backend_version\": 1}"
                    .getBytes(StandardCharsets.UTF_8);

    private final TrainedModel model;
    private final Progress progress;
    private final long bytesTotal;
    private long bytesDone;

    private TorchDistWriter(TrainedModel model, Progress progress, long bytesTotal) {
        this.model = model;
        this.progress = progress;
        this.bytesTotal = bytesTotal;
    }

    /**
     * Adds an iteration, or the release, to a checkpoint root.
     *
     * @param root created if need be; its tracker then names the new iteration
     * @return the iteration's directory
     * @throws CheckpointException if a weight is missing or has another shape than the configuration says, the iteration exists, or the disk is full
     */
    public static Path write(Path root, TrainedModel model, Progress progress) {
        ModelConfig config = new ModelConfig(model.config());
        Map<String, TensorSource> weights = byName(model.weights());
        boolean nextToken = ModelProblems.hasNextTokenLayer(config, weights);
        ModelPlan plan = ModelPlan.of(config, Naming.UNIVERSAL, nextToken);
        ModelPlan slim = ModelPlan.of(config, Naming.TRANSFORMER_ENGINE, nextToken);
        long bytes = bytes(plan, weights);
        Map<String, Map<String, TensorSource>> families = new TreeMap<>();
        for (Map.Entry<String, List<TensorSource>> family :
                model.optimizerStates().entrySet()) {
            families.put(family.getKey(), byName(family.getValue()));
            bytes += bytes(slim, families.get(family.getKey()));
        }
        Path target = root.resolve(TorchDistDirectory.name(model.iteration()));
        TorchDistWriter writer = new TorchDistWriter(model, progress, bytes);
        try (NewDirectory directory = NewDirectory.beside(target);
                DistributedItems items = new DistributedItems(directory.path())) {
            directory.reserve(bytes);
            writer.weights(items, plan, weights);
            for (Map.Entry<String, Map<String, TensorSource>> family : families.entrySet()) {
                writer.family(items, slim, OPTIMIZER_PREFIX + family.getKey() + ".", family.getValue());
            }
            writer.states(items, plan, nextToken, directory.path());
            directory.publish();
        } catch (IOException e) {
            throw new CheckpointException("cannot write " + target + ": " + e, e);
        }
        DurableFiles.write(root.resolve(TorchDistDirectory.TRACKER), writer.tracker());
        return target;
    }

    private void weights(DistributedItems items, ModelPlan plan, Map<String, TensorSource> weights) throws IOException {
        for (MegatronTensor tensor : plan.tensors()) {
            tensor(items, tensor, "", weights);
        }
    }

    /** Families hold what was trained: a tensor is left out only if all of its parts are. */
    private void family(DistributedItems items, ModelPlan plan, String prefix, Map<String, TensorSource> states)
            throws IOException {
        Set<String> left = new HashSet<>(states.keySet());
        for (MegatronTensor tensor : plan.tensors()) {
            boolean any = false;
            for (Box box : tensor.boxes()) {
                // A name comes up once for each of its boxes.
                any |= states.containsKey(box.cut().name());
                left.remove(box.cut().name());
            }
            if (any) {
                tensor(items, tensor, prefix, states);
            }
        }
        if (!left.isEmpty()) {
            throw new CheckpointException("%s belongs to no weight of the model: %s".formatted(prefix, left));
        }
    }

    private void tensor(DistributedItems items, MegatronTensor tensor, String prefix, Map<String, TensorSource> sources)
            throws IOException {
        List<TensorChunk> chunks = new ArrayList<>();
        DType dtype = PartSource.of(tensor, tensor.parts().getFirst(), sources).dtype();
        for (Part part : tensor.parts()) {
            TensorSource source = PartSource.of(tensor, part, sources);
            if (source.dtype() != dtype) {
                throw new CheckpointException("%s is %s, but other parts of %s are %s; give all of them one type"
                        .formatted(source.name(), source.dtype(), tensor.key(), dtype));
            }
            chunks.add(items.chunk(source, part, Shape.bytes(dtype, part.sizes()) - source.bytes()));
            bytesDone += source.bytes();
            progress.at(bytesDone, bytesTotal);
        }
        items.tensor(new ShardedTensor(prefix + tensor.key(), dtype, tensor.shape(), chunks));
    }

    private void states(DistributedItems items, ModelPlan plan, boolean nextToken, Path directory) throws IOException {
        byte[] empty = PickleBytes.emptyExtraState();
        for (String key : plan.extraStates()) {
            items.bytes(key, empty);
        }
        Map<String, Object> common = new LinkedHashMap<>(MegatronArguments.commonState(
                new ModelConfig(model.config()), nextToken, model.iteration().orElse(RELEASE_ITERATION)));
        common.put(SCALARS, new TreeMap<>(model.scalars()));
        // Both places: Megatron up to 0.18 reads only the file, later versions look for the item.
        items.bytes(TorchDistDirectory.COMMON_KEY, PickleBytes.commonItem(common));
        items.finish();
        DurableFiles.write(directory.resolve(TorchDistDirectory.COMMON), PickleBytes.commonFile(common));
        DurableFiles.write(directory.resolve(TorchDistDirectory.FORMAT), FORMAT);
    }

    private byte[] tracker() {
        String content = model.iteration().isPresent()
                ? Long.toString(model.iteration().getAsLong())
                : TorchDistDirectory.RELEASE;
        return content.getBytes(StandardCharsets.US_ASCII);
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

    private static long bytes(ModelPlan plan, Map<String, TensorSource> sources) {
        return plan.tensors().stream()
                .flatMap(tensor -> tensor.boxes().stream())
                .map(Box::cut)
                .filter(cut -> sources.containsKey(cut.name()))
                .mapToLong(cut -> Shape.bytes(sources.get(cut.name()).dtype(), cut.sizes()))
                .sum();
    }
}
