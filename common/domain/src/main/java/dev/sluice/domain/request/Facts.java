package dev.sluice.domain.request;

import dev.sluice.domain.data.PromptRows;
import dev.sluice.domain.model.ModelSpec;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What the rules need to know of the world; whoever calls them has looked.
 *
 * @param model the model's directory
 * @param promptFiles every prompt file of the request by the path that the request gives
 * @param gpuInstances instances alive now that have GPUs
 */
public record Facts(Model model, Map<String, PromptFile> promptFiles, int gpuInstances) {
    public Facts {
        promptFiles = Map.copyOf(promptFiles);
    }

    /**
     * A model's directory.
     *
     * @param problems what makes it unusable; empty means fine
     * @param spec absent when it could not be read
     */
    public record Model(List<String> problems, @Nullable ModelSpec spec) {
        public Model {
            problems = List.copyOf(problems);
        }
    }

    /**
     * A prompt file.
     *
     * @param unreadable why it could not be read; absent when it could
     * @param summary what it holds, all zero when it could not be read
     */
    public record PromptFile(@Nullable String unreadable, PromptRows.Summary summary) {
        public static PromptFile unreadable(String why) {
            return new PromptFile(why, new PromptRows.Summary(0, 0, List.of(), 0));
        }
    }
}
