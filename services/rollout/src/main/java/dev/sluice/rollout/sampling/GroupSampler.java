package dev.sluice.rollout.sampling;

import dev.sluice.events.GroupEvent.Sample;
import dev.sluice.events.GroupEvent.Verdict;
import dev.sluice.events.GroupTask.GroupRequested;
import dev.sluice.events.GroupTask.Sampling;
import dev.sluice.events.Rollout.PartialRollout;
import dev.sluice.rollout.engine.Engine;
import dev.sluice.rollout.engine.EngineApi;
import dev.sluice.rollout.environment.Environments;
import dev.sluice.rollout.hook.HookException;
import dev.sluice.rollout.hook.OwnFunctions;
import dev.sluice.rollout.reward.Rewards;
import dev.sluice.rollout.reward.Score;
import dev.sluice.sglang.GenerateRequest;
import dev.sluice.sglang.GenerateResponse;
import dev.sluice.sglang.SamplingParams;
import dev.sluice.sglang.StreamedSamples;
import dev.sluice.text.Tokenizer;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.SortedMap;
import java.util.function.IntSupplier;
import org.jspecify.annotations.Nullable;

/** Samples and scores groups of one run; blocks while an engine generates. */
public final class GroupSampler {
    private static final int ALL_TOKENS = -1;

    /**
     * About so many tokens are in doubt where weights change: a sixteenth of the longest response, or this. More frames cost
     * an engine more than they tell.
     */
    private static final int TOKENS_A_FRAME = 8;

    private static final int FRAMES = 16;

    private final PromptTokens prompts;
    private final GroupScorer scorer;
    private final TurnTaker turns;
    private final HookCalls hooks;

    /** Whom samplers ask besides engines. */
    public record Others(Rewards rewards, Environments environments, OwnFunctions functions) {}

    /** @param modelDirectory has the chat template, which is asked for with the first conversation */
    public GroupSampler(Tokenizer tokenizer, Path modelDirectory, Others others) {
        this.prompts = new PromptTokens(tokenizer, modelDirectory);
        this.scorer = new GroupScorer(tokenizer, others.rewards());
        this.turns = new TurnTaker(tokenizer, others.environments());
        this.hooks = new HookCalls(tokenizer, prompts, Vocabulary.size(tokenizer, modelDirectory), others.functions());
    }

    /**
     * One call: which samples of which task go where.
     *
     * @param begun places in the group, with what each sample begins with
     * @param ridPrefix begins the id of every request of this call and of no other
     * @param seat weights that the engine holds, and the rank that is to sample
     * @param growing how samples are read while they grow; null where they come whole
     */
    public record SamplingCall(
            GroupRequested task,
            SortedMap<Integer, PartialSample> begun,
            String ridPrefix,
            String engineId,
            Engine.Seat seat,
            @Nullable Growing growing,
            Duration deadline) {
        private ReplyCheck.Expected expected(int index) {
            return new ReplyCheck.Expected(
                    engineId,
                    seat.version(),
                    growing == null ? seat.version() : growing.newestVersion().getAsInt(),
                    task.sampling().maxTokens(),
                    begun.get(index),
                    masksOlder(task),
                    task.turns() != null);
        }
    }

    /**
     * Samples that are read while they grow.
     *
     * @param samples one for each place
     * @param newestVersion that can have sampled their tokens: more than the seat's where they go on across new weights
     */
    public record Growing(StreamedSamples samples, IntSupplier newestVersion) {
        public Growing(int count, IntSupplier newestVersion) {
            this(new StreamedSamples(count), newestVersion);
        }
    }

    /**
     * What one call brought: the prompt's tokens and one outcome for each index.
     *
     * @param received when the engine took the call, by its own clock; null where it does not say
     */
    public record SampledBatch(
            int[] promptTokens,
            List<SampleOutcome> outcomes,
            @Nullable Instant received) {}

    /** All samples go out in one call and share the prompt's prefill. */
    public SampledBatch sample(EngineApi engine, SamplingCall call) {
        GroupRequested task = call.task();
        int[] prompt = prompts.of(task.prompt());
        List<Integer> indexes = List.copyOf(call.begun().keySet());
        List<GenerateRequest> requests = indexes.stream()
                .map(index -> request(call, prompt, index, call.begun().get(index)))
                .toList();
        if (call.growing() != null) {
            engine.stream(requests, call.growing().samples(), call.deadline());
            return new SampledBatch(
                    prompt,
                    sofar(call),
                    received(call.growing().samples().at(0).map(StreamedSamples.Sample::response)));
        }
        List<GenerateResponse> replies = engine.generate(requests, call.deadline());
        List<SampleOutcome> outcomes = new ArrayList<>();
        for (int i = 0; i < replies.size(); i++) {
            int index = indexes.get(i);
            outcomes.add(ReplyCheck.check(index, replies.get(i), call.expected(index)));
        }
        return new SampledBatch(prompt, outcomes, received(replies.stream().findFirst()));
    }

    private static @Nullable Instant received(Optional<GenerateResponse> reply) {
        return reply.map(first -> first.meta().requestReceivedTs())
                .map(seconds -> Instant.EPOCH.plusNanos((long) (seconds * 1e9)))
                .orElse(null);
    }

    /**
     * What has come of a call's samples: those that have ended, and beginnings of the others that can be gone on with. Does not
     * block; a call whose samples come whole has nothing until it returns.
     */
    public static List<SampleOutcome> sofar(SamplingCall call) {
        List<SampleOutcome> outcomes = new ArrayList<>();
        int place = 0;
        for (int index : call.begun().keySet()) {
            Optional<StreamedSamples.Sample> come = call.growing() == null
                    ? Optional.empty()
                    : call.growing().samples().at(place++);
            come.ifPresent(sample -> outcomes.add(
                    sample.finished()
                            ? ReplyCheck.check(index, sample, call.expected(index))
                            : ReplyCheck.broken(index, sample, call.expected(index))));
        }
        return outcomes;
    }

    /**
     * What becomes of a sample whose model has ended a turn; blocks while the environment is asked.
     *
     * @param left until the group must be done
     */
    public SampleOutcome answer(TurnAsk ask, Duration left) {
        return turns.answer(ask, left);
    }

    /** What one sample of a function of one's own brought: the prompt's tokens and its outcome. */
    public SampledBatch generate(GenerateAsk ask, Duration left) {
        int[] prompt = prompts.of(ask.task().prompt());
        SamplingParams params = params(ask.task().sampling(), ask.index(), 0);
        return new SampledBatch(prompt, List.of(hooks.generate(ask, params, prompt, left)), null);
    }

    /** The prompt's tokens, for a group whose samples came from elsewhere. */
    public int[] promptTokens(GroupRequested task) {
        return prompts.of(task.prompt());
    }

    static boolean masksOlder(GroupRequested task) {
        return task.partialRollout() == PartialRollout.CONTINUE_MASKED;
    }

    /**
     * The samples of a complete group with their rewards, or with the reason why they have none; blocks while rewards are computed.
     *
     * @param left until the group must be done
     */
    public List<Sample> score(GroupRequested task, List<Sample> samples, Duration left) {
        return scorer.score(task, samples, left);
    }

    /**
     * What the run's own filter says of a scored group; null where none is asked.
     *
     * @throws HookException if it says nothing that can be used
     */
    public @Nullable Verdict judge(GroupRequested task, List<Sample> samples, Duration left) throws HookException {
        return hooks.judge(task, samples, left);
    }

    private static GenerateRequest request(SamplingCall call, int[] prompt, int index, PartialSample begun) {
        int[] input = Arrays.copyOf(prompt, prompt.length + begun.tokens().length);
        System.arraycopy(begun.tokens(), 0, input, prompt.length, begun.tokens().length);
        Sampling sampling = call.task().sampling();
        SamplingParams params = params(sampling, index, begun.tokens().length);
        if (call.growing() != null) {
            int interval = Math.clamp(sampling.maxTokens() / FRAMES, 1, TOKENS_A_FRAME);
            params = params.change().streamInterval(interval).done();
        }
        GenerateRequest request = GenerateRequest.ofTokens(call.ridPrefix() + index, input, params);
        Integer rank = call.seat().rank();
        return rank == null ? request : request.onRank(rank);
    }

    /** A sample that no engine could give. */
    public static Sample failed(int index, String engineId, String reason) {
        return ReplyCheck.failed(index, engineId, reason);
    }

    /** A sample that nobody could score. */
    public static Sample unscored(Sample sample, String reason) {
        return sample.unscored() == null ? GroupScorer.with(sample, Score.none(reason)) : sample;
    }

    private static SamplingParams params(Sampling sampling, int index, int begun) {
        var params = SamplingParams.of(sampling.maxTokens() - begun, sampling.temperature())
                .change();
        if (sampling.topP() < 1) {
            params = params.topP(sampling.topP());
        }
        if (sampling.topK() != ALL_TOKENS) {
            params = params.topK(sampling.topK());
        }
        if (!sampling.stop().isEmpty()) {
            params = params.stop(sampling.stop());
        }
        if (!sampling.stopRegex().isEmpty()) {
            params = params.stopRegex(sampling.stopRegex());
        }
        if (!sampling.stopTokenIds().isEmpty()) {
            params = params.stopTokenIds(sampling.stopTokenIds());
        }
        return params.samplingSeed(SampleSeed.of(sampling.seed(), index, begun)).done();
    }
}
