package dev.sluice.checkpoint;

import dev.sluice.checkpoint.MegatronTensor.Part;
import dev.sluice.checkpoint.ModelFamily.Row;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * All tensors of a model under both names, computed from its configuration alone.
 *
 * @param copies Hugging Face tensors that repeat another one: name of the copy to name of the original
 * @param extraStates keys of TransformerEngine's empty extra states, over all of its versions
 */
record ModelPlan(List<MegatronTensor> tensors, Map<String, String> copies, List<String> extraStates) {
    /** Megatron pads the vocabulary to a multiple of this times the tensor-parallel size. */
    static final long VOCABULARY_MULTIPLE = 64;

    static ModelPlan of(ModelConfig config, Naming naming, boolean nextTokenLayers) {
        ModelFamily family = ModelFamily.of(config.family());
        Builder builder = new Builder(config, naming);
        builder.rows(family.model(), "", "");
        ModelFamily.ExtraStates extra = family.extraStates();
        builder.extra("", extra.model());
        List<Boolean> expertLayers = config.expertLayers();
        for (int i = 0; i < expertLayers.size(); i++) {
            builder.layer(family, "decoder.layers." + i + ".", "model.layers." + i + ".", expertLayers.get(i));
        }
        for (int i = 0; nextTokenLayers && i < config.nextTokenLayers(); i++) {
            String key = "mtp.layers." + i + ".";
            String name = nextTokenPrefix(config, i);
            builder.rows(family.nextTokenLayer(), key, name);
            builder.extra(key, extra.nextTokenLayer());
            builder.layer(family, key + "transformer_layer.", name, true);
            family.nextTokenCopies().forEach((copy, original) -> builder.copies.put(name + copy, original));
        }
        return new ModelPlan(builder.tensors, builder.copies, builder.extraStates);
    }

    /** The Hugging Face tensors in the plan's order, each with its type when the model has type {@code weights}. */
    Map<String, DType> dtypes(DType weights) {
        Map<String, DType> dtypes = new LinkedHashMap<>();
        for (MegatronTensor tensor : tensors) {
            tensor.parts().forEach(part -> dtypes.put(part.name(), tensor.float32() ? DType.F32 : weights));
        }
        return dtypes;
    }

    /** Hugging Face counts the multi-token-prediction layers on after the others. */
    static String nextTokenPrefix(ModelConfig config, int layer) {
        return "model.layers." + (config.layers() + layer) + ".";
    }

    private static final class Builder {
        private final List<MegatronTensor> tensors = new ArrayList<>();
        private final Map<String, String> copies = new LinkedHashMap<>();
        private final List<String> extraStates = new ArrayList<>();
        private final ModelConfig config;
        private final Naming naming;

        Builder(ModelConfig config, Naming naming) {
            this.config = config;
            this.naming = naming;
        }

        void layer(ModelFamily family, String key, String name, boolean experts) {
            ModelFamily.ExtraStates extra = family.extraStates();
            rows(family.everyLayer(), key, name);
            extra(key, extra.everyLayer());
            rows(experts ? family.expertLayer() : family.denseLayer(), key, name);
            extra(key, experts ? extra.expertLayer() : extra.denseLayer());
            for (int i = 0; experts && i < config.experts(); i++) {
                for (String module : extra.eachExpert()) {
                    extraStates.add("%s%s._extra_state/shard_%d_%d".formatted(key, module, i, config.experts()));
                }
            }
        }

        void extra(String key, List<String> modules) {
            modules.forEach(module -> extraStates.add(key + module + "._extra_state/shard_0_1"));
        }

        void rows(List<Row> rows, String key, String name) {
            for (Row row : rows) {
                if (row.naming() == null || naming.includes(row.naming())) {
                    tensors.add(row.stackedExperts() ? stacked(row, key, name) : single(row, key, name));
                }
            }
        }

        private MegatronTensor single(Row row, String key, String name) {
            List<Long> shape = shape(row);
            List<Long> sizes = new ArrayList<>(shape);
            if (row.paddedRows()) {
                sizes.set(0, Math.ceilDiv(shape.getFirst(), VOCABULARY_MULTIPLE) * VOCABULARY_MULTIPLE);
            }
            List<String> names = config.tied() && row.tiedFrom() != null ? List.of(row.tiedFrom()) : row.from();
            List<Part> parts = new ArrayList<>();
            for (int i = 0; i < names.size(); i++) {
                List<Long> offsets = zeros(sizes.size());
                offsets.set(0, i * sizes.getFirst());
                parts.add(new Part(offsets, sizes, name + names.get(i), shape));
            }
            List<Long> global = new ArrayList<>(sizes);
            global.set(0, names.size() * sizes.getFirst());
            return new MegatronTensor(key + row.key(), global, row.float32(), row.paddedRows(), parts);
        }

        private MegatronTensor stacked(Row row, String key, String name) {
            List<Long> shape = shape(row);
            List<Long> sizes = new ArrayList<>(shape);
            sizes.addFirst(1L);
            List<Part> parts = new ArrayList<>();
            for (int expert = 0; expert < config.experts(); expert++) {
                for (int i = 0; i < row.from().size(); i++) {
                    List<Long> offsets = zeros(sizes.size());
                    offsets.set(0, (long) expert);
                    offsets.set(1, i * shape.getFirst());
                    String part = row.from().get(i).replace("{expert}", Integer.toString(expert));
                    parts.add(new Part(offsets, sizes, name + part, shape));
                }
            }
            List<Long> global = new ArrayList<>(sizes);
            global.set(0, (long) config.experts());
            global.set(1, row.from().size() * shape.getFirst());
            return new MegatronTensor(key + row.key(), global, row.float32(), row.paddedRows(), parts);
        }

        private List<Long> shape(Row row) {
            return row.shape().stream().map(config::dimension).toList();
        }

        private static List<Long> zeros(int count) {
            return new ArrayList<>(java.util.Collections.nCopies(count, 0L));
        }
    }
}
