package dev.sluice.sglang;

import com.fasterxml.jackson.databind.PropertyNamingStrategies;
import com.fasterxml.jackson.databind.annotation.JsonNaming;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * {@code GET /model_info}: the portable way to ask which weights an engine serves.
 *
 * @param modelPath where the weights were last loaded from
 * @param weightVersion the label of the weights; "default" until one is given
 */
@JsonNaming(PropertyNamingStrategies.SnakeCaseStrategy.class)
public record ModelInfo(
        String modelPath,
        @Nullable String tokenizerPath,
        boolean isGeneration,
        @Nullable String preferredSamplingParams,
        String weightVersion,
        boolean hasImageUnderstanding,
        boolean hasAudioUnderstanding,
        @Nullable String modelType,
        @Nullable List<String> architectures) {}
