package dev.sluice.cpu.engine;

import dev.sluice.cpu.model.ModelConfig;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.bytedeco.pytorch.global.torch.ScalarType;

/**
 * TorchScript source of a model's forward passes: the files {@code *.torchscript} beside this class with the model's numbers,
 * its weights and its layers filled in.
 *
 * <p>Weights are parameters, named as in {@code Weights} with underscores for dots: a weight update needs no recompilation.
 */
final class ForwardSource {
    private static final Pattern PLACEHOLDER = Pattern.compile("\\$([a-z_]+)");
    private static final List<String> ATTENTION =
            List.of("attention_norm", "q_a", "q_a_norm", "q_b", "kv_a", "kv_a_norm", "kv_b", "o", "feed_forward_norm");
    private static final List<String> DENSE = List.of("gate_up", "down");
    private static final List<String> SPARSE =
            List.of("router", "router_bias", "experts_gate_up", "experts_down", "shared_gate_up", "shared_down");

    /** Up to here, sums of products over the heads are faster than one matrix product a head. */
    private static final int FEW_TOKENS = 4;

    private final ModelConfig config;

    private final ScalarType type;

    ForwardSource(ModelConfig config, ScalarType type) {
        this.config = config;
        this.type = type;
    }

    /** Blocks and entry points. */
    String text() {
        Map<String, String> values = values();
        String source = filled("blocks.torchscript", values) + filled("target.torchscript", values);
        return config.mtpLayers() == 0 ? source : source + filled("draft.torchscript", values);
    }

    /** Weights that the function {@code target} takes after its own parameters, in order. */
    List<String> targetWeights() {
        List<String> names = new ArrayList<>(List.of("embed", "norm", "head"));
        for (int layer = 0; layer < config.layers(); layer++) {
            names.addAll(layerWeights(layer));
        }
        return names;
    }

    /** Weights that the function {@code draft} takes after its own parameters, in order. */
    List<String> draftWeights() {
        String layer = "layers." + config.layers() + ".";
        List<String> names = new ArrayList<>(List.of(
                "embed", "head", layer + "embed_norm", layer + "hidden_norm", layer + "join", layer + "head_norm"));
        names.addAll(layerWeights(config.layers()));
        return names;
    }

    private List<String> layerWeights(int layer) {
        List<String> names = new ArrayList<>(ATTENTION);
        names.addAll(config.isSparse(layer) ? SPARSE : DENSE);
        return names.stream().map(name -> "layers." + layer + "." + name).toList();
    }

    /** The line that calls a layer's block with the layer's own weights. */
    private String layerCall(int layer, int cacheIndex) {
        String block = config.isSparse(layer) ? "sparse_layer" : "dense_layer";
        return "x = " + block + "(x, cache[" + cacheIndex + "], mask, lines, turns, " + arguments(layerWeights(layer))
                + ")";
    }

    private Map<String, String> values() {
        Map<String, String> values = new HashMap<>();
        // In float32 nothing is converted: even an operation that changes nothing takes time.
        boolean single = type == ScalarType.Float;
        values.put("as_float", single ? "" : ".to(" + ScalarType.Float.value + ")");
        values.put("as_weights", single ? "" : ".to(" + type.value + ")");
        values.put("norm_type", single ? "" : ", dtype=" + ScalarType.Float.value);
        numbers().forEach((name, number) -> values.put(name, number.toString()));
        values.put(
                "normalise_weights",
                config.feedForward().normaliseWeights()
                        ? "weights = torch.addcdiv(torch.zeros([1]), weights,"
                                + " weights.sum(-1, keepdim=True) + torch.full([1], 1e-20), value="
                                + config.feedForward().expertScale() + ")"
                        : "weights = weights * " + config.feedForward().expertScale());
        List<String> layers = new ArrayList<>();
        for (int layer = 0; layer < config.layers(); layer++) {
            layers.add(layerCall(layer, layer));
        }
        values.put("target_layers", String.join("\n    ", layers));
        values.put("target_weights", parameters(targetWeights()));
        if (config.mtpLayers() > 0) {
            values.put("draft_layer", layerCall(config.layers(), 0));
            values.put("draft_weights", parameters(draftWeights()));
            values.put("draft_layer_weights", arguments(layerWeights(config.layers())));
            for (String name : List.of("embed_norm", "hidden_norm", "join", "head_norm")) {
                values.put("mtp_" + name, parameter("layers." + config.layers() + "." + name));
            }
        }
        return values;
    }

    private Map<String, Number> numbers() {
        ModelConfig.Attention attention = config.attention();
        ModelConfig.FeedForward feedForward = config.feedForward();
        Map<String, Number> numbers = new HashMap<>();
        numbers.put("hidden", config.hiddenSize());
        norm(numbers, "norm", config.hiddenSize(), config.norms().other());
        norm(numbers, "query_norm", attention.queryRank(), config.norms().latent());
        norm(numbers, "latent_norm", attention.latentRank(), config.norms().latent());
        numbers.put("few_tokens", FEW_TOKENS);
        numbers.put("heads", attention.heads());
        numbers.put("latent", attention.latentRank());
        numbers.put("plain", attention.plainHeadSize());
        numbers.put("rotary", attention.rotaryHeadSize());
        numbers.put("value", attention.valueHeadSize());
        numbers.put("query_head", attention.queryHeadSize());
        numbers.put("scale", attention.scale());
        numbers.put("experts", feedForward.experts());
        numbers.put("experts_per_token", feedForward.expertsPerToken());
        numbers.put("expert_size", feedForward.expertSize());
        return numbers;
    }

    private static void norm(Map<String, Number> numbers, String name, int size, double epsilon) {
        numbers.put(name + "_factor", Math.sqrt(size));
        numbers.put(name + "_floor", Math.sqrt(size * epsilon));
    }

    private static String parameters(List<String> weights) {
        return String.join(
                ", ", weights.stream().map(name -> parameter(name) + ": Tensor").toList());
    }

    private static String arguments(List<String> weights) {
        return String.join(", ", weights.stream().map(ForwardSource::parameter).toList());
    }

    private static String parameter(String weight) {
        return weight.replace('.', '_');
    }

    private static String filled(String resource, Map<String, String> values) {
        // Comments stay behind: they speak of placeholders, and TorchScript does not need them.
        String code = read(resource).replaceAll("(?m)^ *#.*\n", "");
        return PLACEHOLDER.matcher(code).replaceAll(match -> {
            String value = values.get(match.group(1));
            if (value == null) {
                throw new IllegalStateException(
                        resource + " has the placeholder " + match.group() + ", which has no value");
            }
            return Matcher.quoteReplacement(value);
        });
    }

    private static String read(String resource) {
        try (InputStream in = ForwardSource.class.getResourceAsStream(resource)) {
            if (in == null) {
                throw new IllegalStateException(resource + " is missing beside " + ForwardSource.class.getName());
            }
            return new String(in.readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
