package dev.sluice.cpu.engine;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectReader;
import com.fasterxml.jackson.databind.exc.UnrecognizedPropertyException;
import dev.sluice.domain.stop.StopPattern;
import dev.sluice.http.Json;
import dev.sluice.sglang.SamplingParams;
import java.io.IOException;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.OptionalLong;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * Checks sampling parameters and fills in SGLang's defaults; refusals carry SGLang's words.
 *
 * @param stopTexts whether the engine can look for stop texts, which takes a tokenizer
 * @param vocabulary tokens that the model knows
 * @see <a href="https://github.com/sgl-project/sglang/blob/v0.5.15.post1/python/sglang/srt/sampling/sampling_params.py">
 *     SamplingParams.verify</a>
 */
record SamplingRules(boolean stopTexts, int vocabulary) {
    private static final int MAX_STOPS = 64;
    private static final int MAX_STOP_CHARACTERS = 1024;
    private static final int MAX_SAMPLES = 1024;
    /** Far beyond any score of a model; larger ones would make sums infinite. */
    private static final int MAX_BIAS = 1_000_000;

    private static final double GREEDY_BELOW = 1e-6;
    private static final ObjectReader STRICT =
            Json.MAPPER.readerFor(SamplingParams.class).with(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES);

    Sampling read(@Nullable JsonNode node) {
        SamplingParams params = node == null || node.isNull() ? SamplingParams.defaults() : parse(node);
        refuseWhatIsNotComputed(params);
        int maxNewTokens = or(params.maxNewTokens(), 128);
        int samples = or(params.n(), 1);
        int streamInterval = or(params.streamInterval(), 1);
        require(streamInterval >= 1, "stream_interval must be at least 1, got %s.", streamInterval);
        require(maxNewTokens >= 0, "max_new_tokens must be at least 0, got %s.", maxNewTokens);
        require(samples >= 1 && samples <= MAX_SAMPLES, "n must be in [1, " + MAX_SAMPLES + "], got %s.", samples);
        return new Sampling(
                maxNewTokens,
                law(params),
                adjustment(params, maxNewTokens),
                stops(params),
                or(params.skipSpecialTokens(), true),
                params.samplingSeed() == null ? OptionalLong.empty() : OptionalLong.of(params.samplingSeed()),
                streamInterval,
                samples);
    }

    private static SamplingParams parse(JsonNode node) {
        try {
            return STRICT.readValue(node);
        } catch (UnrecognizedPropertyException e) {
            throw new RequestException(
                    "SamplingParams got an unexpected keyword argument '" + e.getPropertyName() + "'");
        } catch (JsonProcessingException e) {
            throw new RequestException("sampling_params: " + e.getOriginalMessage());
        } catch (IOException e) {
            throw new RequestException("sampling_params: " + e.getMessage());
        }
    }

    private static Sampling.LawParams law(SamplingParams params) {
        double temperature = or(params.temperature(), 1.0);
        double topP = or(params.topP(), 1.0);
        double minP = or(params.minP(), 0.0);
        int topK = or(params.topK(), -1);
        require(
                Double.isFinite(temperature) && temperature >= 0,
                "temperature must be a non-negative finite number, got %s.",
                temperature);
        require(topP > 0 && topP <= 1, "top_p must be in (0, 1], got %s.", topP);
        require(minP >= 0 && minP <= 1, "min_p must be in [0, 1], got %s.", minP);
        require(topK == -1 || topK >= 1, "top_k must be -1 (disable) or at least 1, got %s.", topK);
        boolean cold = temperature < GREEDY_BELOW;
        return new Sampling.LawParams(
                cold ? 1 : temperature, cold || topK == 1, topK == -1 ? Integer.MAX_VALUE : topK, topP, minP);
    }

    private LogitAdjustment adjustment(SamplingParams params, int maxNewTokens) {
        double frequency = or(params.frequencyPenalty(), 0.0);
        double presence = or(params.presencePenalty(), 0.0);
        double repetition = or(params.repetitionPenalty(), 1.0);
        int minNewTokens = or(params.minNewTokens(), 0);
        require(frequency >= -2 && frequency <= 2, "frequency_penalty must be in [-2, 2], got %s.", frequency);
        require(presence >= -2 && presence <= 2, "presence_penalty must be in [-2, 2], got %s.", presence);
        require(
                repetition > 0 && repetition <= 2,
                "repetition_penalty must be in (0, 2] (1.0 = no penalty), got %s.",
                repetition);
        require(
                minNewTokens >= 0 && minNewTokens <= maxNewTokens,
                "min_new_tokens must be in [0, max_new_tokens(" + maxNewTokens + ")], got %s.",
                minNewTokens);
        if (minNewTokens > 0 && !stopTexts) {
            throw new RequestException("min_new_tokens=" + minNewTokens
                    + " is unavailable when skip_tokenizer_init=True (requires tokenizer for eos_token_id).");
        }
        return new LogitAdjustment(frequency, presence, repetition, minNewTokens, bias(params));
    }

    private Map<Integer, Double> bias(SamplingParams params) {
        Map<Integer, Double> bias = new HashMap<>();
        or(params.logitBias(), Map.<String, Double>of()).forEach((key, value) -> {
            int token = tokenId(key);
            require(
                    token >= 0 && token < vocabulary,
                    "logit_bias must has keys in [0, " + (vocabulary - 1) + "], got %s.",
                    key);
            require(
                    value != null && Math.abs(value) <= MAX_BIAS,
                    "logit_bias must has values in [-" + MAX_BIAS + ", " + MAX_BIAS + "], got %s.",
                    String.valueOf(value));
            bias.put(token, value);
        });
        return bias;
    }

    private static int tokenId(String key) {
        try {
            return Integer.parseInt(key.strip());
        } catch (NumberFormatException e) {
            return -1;
        }
    }

    private Sampling.Stops stops(SamplingParams params) {
        List<String> texts = or(params.stop(), List.<String>of());
        if (!texts.isEmpty() && !stopTexts) {
            throw new RequestException("stop is unavailable when skip_tokenizer_init=True.");
        }
        require(
                texts.size() <= MAX_STOPS,
                "at most " + MAX_STOPS + " stop texts are looked for, got %s.",
                texts.size());
        for (String text : texts) {
            if (text == null) {
                throw new RequestException("a stop text must not be null.");
            }
            require(
                    !text.isEmpty() && text.length() <= MAX_STOP_CHARACTERS,
                    "a stop text has 1 to " + MAX_STOP_CHARACTERS + " characters, got %s.",
                    text.length());
        }
        return new Sampling.Stops(
                List.copyOf(texts),
                patterns(or(params.stopRegex(), List.<String>of())),
                or(params.stopTokenIds(), List.<Integer>of()).stream()
                        .filter(Objects::nonNull)
                        .collect(Collectors.toUnmodifiableSet()),
                or(params.ignoreEos(), false),
                or(params.noStopTrim(), false));
    }

    private List<StopPattern> patterns(List<String> regexes) {
        if (!regexes.isEmpty() && !stopTexts) {
            throw new RequestException("stop_regex is unavailable when skip_tokenizer_init=True.");
        }
        require(
                regexes.size() <= StopPattern.MAX_PATTERNS,
                "at most " + StopPattern.MAX_PATTERNS + " stop patterns are looked for, got %s.",
                regexes.size());
        try {
            return regexes.stream().map(regex -> StopPattern.of(or(regex, ""))).toList();
        } catch (IllegalArgumentException e) {
            throw new RequestException("stop_regex: " + e.getMessage());
        }
    }

    /** Values that SGLang would honour and this engine would silently not; neutral ones pass. */
    private static void refuseWhatIsNotComputed(SamplingParams params) {
        refuse("json_schema", params.jsonSchema() != null);
        refuse("regex", params.regex() != null);
        refuse("ebnf", params.ebnf() != null);
        refuse("structural_tag", params.structuralTag() != null);
    }

    private static void refuse(String name, boolean given) {
        if (given) {
            throw new RequestException(name + " is not computed by this engine; leave it out.");
        }
    }

    private static void require(boolean holds, String message, Object got) {
        if (!holds) {
            throw new RequestException(message.formatted(got));
        }
    }

    private static <T> T or(@Nullable T value, T otherwise) {
        return value == null ? otherwise : value;
    }
}
