package dev.sluice.domain.request;

import dev.sluice.domain.candidate.ScriptFlags;
import dev.sluice.domain.data.PromptRows;
import dev.sluice.domain.model.ModelSpec;
import dev.sluice.domain.model.PublishedModels;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What the rules need to know of the world; whoever calls them has looked.
 *
 * @param model the model's directory
 * @param rolloutModel the directory that engines start from, absent where it is the model's
 * @param promptFiles every prompt file of the request by the path that the request gives
 * @param gpuInstances instances alive now that have GPUs
 * @param purpose what the request is looked at for
 * @param script flags of the launch script that the request was made of, absent where it was made of none
 * @param unusable further checkpoints of the request that cannot be loaded, with the reason
 */
public record Facts(
        Model model,
        @Nullable Model rolloutModel,
        Map<String, PromptFile> promptFiles,
        int gpuInstances,
        Purpose purpose,
        @Nullable ScriptFlags script,
        Map<String, String> unusable) {
    public Facts {
        promptFiles = Map.copyOf(promptFiles);
        unusable = Map.copyOf(unusable);
    }

    /** For a run of a model that is sampled as it is trained. */
    public Facts(Model model, Map<String, PromptFile> promptFiles, int gpuInstances) {
        this(model, null, promptFiles, gpuInstances, Purpose.RUN, null, Map.of());
    }

    /** For a request that was made of no script. */
    public Facts(
            Model model,
            @Nullable Model rolloutModel,
            Map<String, PromptFile> promptFiles,
            int gpuInstances,
            Purpose purpose) {
        this(model, rolloutModel, promptFiles, gpuInstances, purpose, null, Map.of());
    }

    /** The same, for a request that was made of a script. */
    public Facts of(ScriptFlags flags) {
        return new Facts(model, rolloutModel, promptFiles, gpuInstances, purpose, flags, unusable);
    }

    /** What a request is looked at for. */
    public enum Purpose {
        /** It is to run here: everything that it needs must be here. */
        RUN,
        /** It is only planned, perhaps for other machines: what is not here is said, and does not reject it. */
        PLAN
    }

    /**
     * A model's directory.
     *
     * @param problems what makes it unusable; empty means fine
     * @param spec absent when it could not be read
     * @param note what else is to be said of it, absent where nothing is
     * @param chatTemplate whether it has one; true where nobody has looked
     */
    public record Model(
            List<String> problems,
            @Nullable ModelSpec spec,
            @Nullable String note,
            boolean chatTemplate) {
        public Model {
            problems = List.copyOf(problems);
        }

        public Model(List<String> problems, @Nullable ModelSpec spec, @Nullable String note) {
            this(problems, spec, note, true);
        }

        public Model(List<String> problems, @Nullable ModelSpec spec) {
            this(problems, spec, null);
        }

        /**
         * What is known of a model whose directory is not on this machine: the published configuration of that name.
         *
         * @param problem why the directory was not read
         */
        public static Model notHere(String path, String problem) {
            return PublishedModels.named(path)
                    .map(spec -> new Model(
                            List.of(),
                            spec,
                            "%s; the published configuration of that name is taken instead".formatted(problem)))
                    .orElseGet(() -> new Model(List.of(problem + PublishedModels.didYouMean(path)), null));
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
