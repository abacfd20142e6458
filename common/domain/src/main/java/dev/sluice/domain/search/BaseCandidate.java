package dev.sluice.domain.search;

import dev.sluice.domain.candidate.Candidate;
import dev.sluice.domain.candidate.Cluster;
import dev.sluice.domain.candidate.Flags;
import dev.sluice.domain.candidate.Installed;
import dev.sluice.domain.candidate.TrainingSide;
import dev.sluice.domain.candidate.TrainingSide.Dispatcher;
import dev.sluice.domain.candidate.TrainingSide.Layout;
import dev.sluice.domain.candidate.TrainingSide.Optimizer;
import dev.sluice.domain.candidate.TrainingSide.Recompute;
import dev.sluice.domain.candidate.Version;
import dev.sluice.domain.candidate.Workload;
import dev.sluice.domain.model.ModelSpec;
import dev.sluice.domain.training.OldPolicy;
import dev.sluice.events.Algorithm;
import dev.sluice.events.Rollout;
import dev.sluice.events.TrainingRequest;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.stream.Stream;

/** What a request says of a candidate before layouts are searched. */
public final class BaseCandidate {
    private static final Layout NOT_SEARCHED = new Layout(1, 1, 1, 1, 1, null, null);

    private BaseCandidate() {}

    /**
     * @param megatron Megatron's further flags
     * @param longestPromptTokens of the prompt files, used where the request says none; 0 where unknown
     */
    public static Candidate of(
            TrainingRequest request, ModelSpec model, Cluster cluster, Flags megatron, int longestPromptTokens) {
        return new Candidate(
                model,
                cluster,
                new Installed(
                        new Version(request.versions().sglang()),
                        new Version(request.versions().megatron()),
                        request.versions().trainer()),
                workload(request, longestPromptTokens),
                training(request, megatron),
                null);
    }

    private static TrainingSide training(TrainingRequest request, Flags megatron) {
        boolean flex = request.training().layout().dispatcher() == TrainingRequest.Dispatcher.FLEX;
        return new TrainingSide(
                NOT_SEARCHED,
                0,
                false,
                Recompute.FULL,
                Optimizer.GPU,
                flex ? Dispatcher.FLEX : Dispatcher.ALLTOALL,
                flex,
                request.training().mtp().train(),
                megatron);
    }

    private static Workload workload(TrainingRequest request, int longestPromptTokens) {
        Rollout rollout = request.rollout();
        int steps = request.training().optimizerStepsPerStep();
        int given = request.data().maxPromptTokens();
        int longestPrompt = given > 0 ? given : longestPromptTokens;
        int samples = rollout.groupsPerStep() * rollout.samplesPerPrompt();
        return new Workload(
                rollout.groupsPerStep(),
                rollout.samplesPerPrompt(),
                samples / steps,
                steps,
                rollout.oversample(),
                longestPrompt,
                rollout.maxResponseTokens(),
                meanResponse(rollout),
                longestContext(request, longestPrompt),
                rollout.temperature(),
                frozenModels(request.algorithm()),
                OldPolicy.of(request) == OldPolicy.FORWARD,
                !request.evaluation().isEmpty(),
                rollout.maxPolicyLag() > 0,
                true,
                paths(request),
                Flags.NONE);
    }

    private static int meanResponse(Rollout rollout) {
        return rollout.meanResponseTokens() > 0
                ? rollout.meanResponseTokens()
                : Math.max(1, rollout.maxResponseTokens() / 2);
    }

    /** Held-out sets may ask for longer responses than training does. */
    private static int longestContext(TrainingRequest request, int longestPrompt) {
        int longestResponse = request.evaluation().stream()
                .mapToInt(TrainingRequest.Evaluation::maxResponseTokens)
                .max()
                .orElse(0);
        boolean longer = longestResponse > request.rollout().maxResponseTokens();
        return Math.max(request.rollout().maxContextTokens(), longer ? longestPrompt + longestResponse : 0);
    }

    private static int frozenModels(Algorithm algorithm) {
        return (algorithm.usesReference() ? 1 : 0) + (algorithm.distillation().loadedTeacher() == null ? 0 : 1);
    }

    private static List<String> paths(TrainingRequest request) {
        List<String> paths = new ArrayList<>();
        paths.add(request.model().path());
        if (request.model().rolloutPath() != null) {
            paths.add(request.model().rolloutPath());
        }
        Stream.of(
                        request.algorithm().reference(),
                        request.algorithm().distillation().teacherCheckpoint())
                .filter(Objects::nonNull)
                .forEach(paths::add);
        paths.add(request.data().prompts());
        request.evaluation().forEach(set -> paths.add(set.prompts()));
        return paths;
    }
}
