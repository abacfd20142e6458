package dev.sluice.checkpoint;

import dev.sluice.checkpoint.ModelFamily.ExtraStates;
import dev.sluice.checkpoint.ModelFamily.Row;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/**
 * All tensors of a model under both names, computed from its configuration alone.
 *
 * @param copies Hugging Face tensors that repeat another one: name of the copy to name of the original
 * @param extraStates keys of TransformerEngine's empty extra states, over all of its versions
 */
record ModelPlan(List<MegatronTensor> tensors, Map<String, String> copies, List<String> extraStates) {
    /** Megatron pads the vocabulary to a multiple of this times the tensor-parallel size. */
    static final long VOCABULARY_MULTIPLE = 64;

    /** As Megatron's model of that family asks for it. */
    static ModelPlan of(ModelConfig config, Naming naming, boolean nextTokenLayers) {
        LayerKeys keys = config.names().layerKeys();
        return of(config, naming, nextTokenLayers, keys == null ? LayerKeys.NUMBERED : keys);
    }

    static ModelPlan of(ModelConfig config, Naming naming, boolean nextTokenLayers, LayerKeys keys) {
        ModelFamily family = config.names();
        Builder builder = new Builder(config, family, naming);
        builder.tensors.addAll(builder.rows(family.model(), "", ""));
        builder.extra("", family.extraStates().model(), "0_1");
        List<Boolean> expertLayers = config.expertLayers();
        if (keys == LayerKeys.STACKED) {
            builder.stackedLayers(expertLayers);
        } else {
            for (int i = 0; i < expertLayers.size(); i++) {
                builder.layer(LayerKeys.LAYERS + i + ".", "model.layers." + i + ".", expertLayers.get(i));
            }
        }
        for (int i = 0; nextTokenLayers && i < config.nextTokenLayers(); i++) {
            builder.nextTokenLayer(i, !expertLayers.isEmpty() && expertLayers.getLast());
        }
        return new ModelPlan(builder.tensors, builder.copies, builder.extraStates);
    }

    /** The Hugging Face tensors in the plan's order, each with its type when the model has type {@code weights}. */
    Map<String, DType> dtypes(DType weights) {
        Map<String, DType> dtypes = new LinkedHashMap<>();
        for (MegatronTensor tensor : tensors) {
            tensor.boxes().forEach(box -> dtypes.put(box.cut().name(), tensor.float32() ? DType.F32 : weights));
        }
        return dtypes;
    }

    /** What the names of a multi-token-prediction layer begin with; the family must have such layers. */
    static String nextTokenPrefix(ModelConfig config, int layer) {
        return Objects.requireNonNull(config.names().nextTokenName())
                .replace("{layer}", Integer.toString(layer))
                .replace("{next}", Integer.toString(config.layers() + layer));
    }

    private static final class Builder {
        private final List<MegatronTensor> tensors = new ArrayList<>();
        private final Map<String, String> copies = new LinkedHashMap<>();
        private final List<String> extraStates = new ArrayList<>();
        private final ModelConfig config;
        private final ModelFamily family;
        private final ExtraStates extra;
        private final Naming naming;

        Builder(ModelConfig config, ModelFamily family, Naming naming) {
            this.config = config;
            this.family = family;
            this.extra = family.extraStates();
            this.naming = naming;
        }

        void layer(String key, String name, boolean experts) {
            tensors.addAll(layerRows(key, name, experts));
            extra(key, extra.everyLayer(), "0_1");
            extra(key, experts ? extra.expertLayer() : extra.denseLayer(), "0_1");
            for (int i = 0; experts && i < config.experts(); i++) {
                extra(key, extra.eachExpert(), i + "_" + config.experts());
            }
        }

        void stackedLayers(List<Boolean> expertLayers) {
            if (expertLayers.stream().distinct().count() > 1) {
                throw new CheckpointException(
                        "layers with and without experts cannot share keys; the checkpoint needs %s0., ..."
                                .formatted(LayerKeys.LAYERS));
            }
            List<List<MegatronTensor>> layers = new ArrayList<>();
            for (int i = 0; i < expertLayers.size(); i++) {
                layers.add(layerRows(LayerKeys.LAYERS, "model.layers." + i + ".", expertLayers.get(i)));
                String shard = i + "_" + expertLayers.size();
                extra(LayerKeys.LAYERS, extra.everyLayer(), shard);
                extra(LayerKeys.LAYERS, expertLayers.get(i) ? extra.expertLayer() : extra.denseLayer(), shard);
            }
            for (int row = 0; !layers.isEmpty() && row < layers.getFirst().size(); row++) {
                int at = row;
                tensors.add(MegatronTensor.stack(
                        layers.stream().map(layer -> layer.get(at)).toList()));
            }
        }

        void nextTokenLayer(int layer, boolean experts) {
            String key = "mtp.layers." + layer + ".";
            String name = nextTokenPrefix(config, layer);
            tensors.addAll(rows(family.nextTokenLayer(), key, name));
            extra(key, extra.nextTokenLayer(), "0_1");
            layer(key + "transformer_layer.", name, experts);
            family.nextTokenCopies().forEach((copy, original) -> copies.put(name + copy, original));
        }

        void extra(String key, List<String> modules, String shard) {
            for (String module : modules) {
                String[] condition = module.split(" when ", 2);
                if (condition.length == 1 || config.meets(condition[1])) {
                    extraStates.add(key + condition[0] + "._extra_state/shard_" + shard);
                }
            }
        }

        List<MegatronTensor> layerRows(String key, String name, boolean experts) {
            List<MegatronTensor> rows = new ArrayList<>(rows(family.everyLayer(), key, name));
            rows.addAll(rows(experts ? family.expertLayer() : family.denseLayer(), key, name));
            return rows;
        }

        List<MegatronTensor> rows(List<Row> rows, String key, String name) {
            return rows.stream()
                    .filter(row -> row.naming() == null || naming.includes(row.naming()))
                    .filter(row -> config.meets(row.when()))
                    .map(row -> new RowPlan(config, row, key, name).tensor())
                    .toList();
        }
    }
}
