package dev.sluice.cpu.engine;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectReader;
import com.fasterxml.jackson.databind.exc.UnrecognizedPropertyException;
import dev.sluice.http.Json;
import dev.sluice.sglang.SamplingParams;
import java.io.IOException;
import java.util.List;
import java.util.OptionalLong;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Checks sampling parameters and fills in SGLang's defaults; refusals carry SGLang's words.
 *
 * @param stopTexts whether the engine can look for stop texts, which takes a tokenizer
 * @see <a href="https://github.com/sgl-project/sglang/blob/v0.5.15.post1/python/sglang/srt/sampling/sampling_params.py">
 *     SamplingParams.verify</a>
 */
record SamplingRules(boolean stopTexts) {
    private static final int MAX_STOPS = 64;
    private static final int MAX_STOP_CHARACTERS = 1024;
    private static final int MAX_SAMPLES = 1024;
    private static final double GREEDY_BELOW = 1e-6;
    private static final ObjectReader STRICT =
            Json.MAPPER.readerFor(SamplingParams.class).with(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES);

    Sampling read(@Nullable JsonNode node) {
        SamplingParams params = node == null || node.isNull() ? SamplingParams.defaults() : parse(node);
        refuseWhatIsNotComputed(params);
        int maxNewTokens = or(params.maxNewTokens(), 128);
        int samples = or(params.n(), 1);
        require(maxNewTokens >= 0, "max_new_tokens must be at least 0, got %s.", maxNewTokens);
        require(samples >= 1 && samples <= MAX_SAMPLES, "n must be in [1, " + MAX_SAMPLES + "], got %s.", samples);
        return new Sampling(
                maxNewTokens,
                law(params),
                stops(params),
                or(params.skipSpecialTokens(), true),
                params.samplingSeed() == null ? OptionalLong.empty() : OptionalLong.of(params.samplingSeed()),
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
            require(
                    !text.isEmpty() && text.length() <= MAX_STOP_CHARACTERS,
                    "a stop text has 1 to " + MAX_STOP_CHARACTERS + " characters, got %s.",
                    text.length());
        }
        return new Sampling.Stops(
                List.copyOf(texts),
                Set.copyOf(or(params.stopTokenIds(), List.<Integer>of())),
                or(params.ignoreEos(), false),
                or(params.noStopTrim(), false));
    }

    /** Values that SGLang would honour and this engine would silently not; neutral ones pass. */
    private static void refuseWhatIsNotComputed(SamplingParams params) {
        refuse("frequency_penalty", or(params.frequencyPenalty(), 0.0) != 0);
        refuse("presence_penalty", or(params.presencePenalty(), 0.0) != 0);
        refuse("repetition_penalty", or(params.repetitionPenalty(), 1.0) != 1);
        refuse("min_new_tokens", or(params.minNewTokens(), 0) != 0);
        refuse("logit_bias", params.logitBias() != null && !params.logitBias().isEmpty());
        refuse("stop_regex", params.stopRegex() != null && !params.stopRegex().isEmpty());
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
