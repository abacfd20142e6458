package dev.sluice.rollout;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.domain.environment.EnvironmentFunction;
import dev.sluice.domain.environment.Turn;
import dev.sluice.domain.environment.TurnAnswer;
import dev.sluice.events.Float32Array;
import dev.sluice.events.GroupEvent.FinishReason;
import dev.sluice.events.GroupEvent.GroupAbandoned;
import dev.sluice.events.GroupEvent.GroupSampled;
import dev.sluice.events.GroupEvent.Sample;
import dev.sluice.events.GroupEvent.SamplesParked;
import dev.sluice.events.GroupEvent.VersionSpan;
import dev.sluice.events.GroupTask.GroupRequested;
import dev.sluice.events.GroupTask.Prompt;
import dev.sluice.events.GroupTask.Sampling;
import dev.sluice.events.Int32Array;
import dev.sluice.events.Rollout.PartialRollout;
import dev.sluice.events.Rollout.Turns;
import dev.sluice.events.UInt8Array;
import dev.sluice.rollout.environment.Calculator;
import dev.sluice.rollout.environment.Environments;
import dev.sluice.sglang.GenerateRequest;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Responses in which a model and an environment take turns. One character is one token: 0 to 9 are 5 to 14, + is 15, = is 19. */
class TurnsTest {
    private static final int EOS = 1;
    private static final int[] SUM = {7, 15, 8, 19, EOS}; // 2+3=
    private static final int[] VALUE = {10, EOS}; // 5
    private static final int MARK = 2; // <user>, with which the calculator ends its turn

    @TempDir
    Path folder;

    private final Own own = new Own();
    private FakeRun run;
    private PartialRollout partialRollout = PartialRollout.RESTART;
    private List<Sample> parked = List.of();
    private int maxTurns = 8;
    private int maxTokens = 16;

    /** An environment that a test makes up. */
    private static final class Own implements EnvironmentFunction {
        final List<Turn> turns = Collections.synchronizedList(new ArrayList<>());
        Body body = turn -> new TurnAnswer.Says("1");

        interface Body {
            TurnAnswer answer(Turn turn) throws Exception;
        }

        @Override
        public String name() {
            return "mine";
        }

        @Override
        public TurnAnswer answer(Turn turn) throws Exception {
            turns.add(turn);
            return body.answer(turn);
        }
    }

    @BeforeEach
    void aModelThatAsksForASumAndRepeatsItsValue() {
        Environments environments = new Environments(List.of(), 4, List.of(new Calculator(), own));
        run = new FakeRun(folder, 1, environments, List.of()).serve();
        run.engines.newest().model = input -> input[input.length - 1] == MARK ? VALUE : SUM;
    }

    @Test
    void theModelGoesOnAfterTheCalculatorsAnswerOnWhichNobodyIsTrained() {
        // When
        request(0, "own:calculator");
        // Then: 2+3=<eos> 5<user> 5<eos>
        assertThat(sampled().samples()).hasSize(FakeRun.SAMPLES).allSatisfy(sample -> {
            assertThat(sample.tokens().toArray()).containsExactly(7, 15, 8, 19, EOS, 10, MARK, 10, EOS);
            assertThat(sample.lossMask().toArray()).containsExactly(1, 1, 1, 1, 1, 0, 0, 1, 1);
            assertThat(sample.logprobs().toArray())
                    .containsExactly(-0.5f, -0.5f, -0.5f, -0.5f, -0.5f, 0, 0, -0.5f, -0.5f);
            assertThat(sample.versions()).containsExactly(new VersionSpan(0, 9));
            assertThat(sample.finishReason()).isEqualTo(FinishReason.STOP);
            assertThat(sample.reward()).isEqualTo(1); // the label is 2+3=55
        });
        assertThat(sampled().tokensAborted()).isZero();
    }

    @Test
    void aConversationStaysWithTheEngineAndTheRankThatHasItInTheirCache() {
        // Given two engines of two ranks each, each of which has room for the group
        Environments environments = new Environments(List.of(), 4, List.of(new Calculator()));
        run = new FakeRun(folder.resolve("ranks"), 2, environments, List.of("--dp-size", "2")).serve();
        run.engines.launched.forEach(engine -> engine.model = input -> input[input.length - 1] == MARK ? VALUE : SUM);
        // When
        request(0, "own:calculator");
        request(1, "own:calculator");
        // Then
        assertThat(run.engines.launched)
                .anySatisfy(engine -> assertThat(engine.requests)
                        .filteredOn(sent -> sent.rid().startsWith("run/0#"))
                        .hasSize(2 * FakeRun.SAMPLES)
                        .extracting(GenerateRequest::routedDpRank)
                        .containsOnly(0));
    }

    @Test
    void theSecondTurnIsSampledAfterTheWholeFirstOneWithinWhatIsLeft() {
        // When
        request(0, "own:calculator");
        // Then
        var requests = run.engines.newest().requests;
        assertThat(requests).hasSize(2 * FakeRun.SAMPLES);
        assertThat(requests.subList(FakeRun.SAMPLES, requests.size())).allSatisfy(second -> {
            assertThat(second.inputIds()).containsExactly(6, 15, 6, 19, 7, 15, 8, 19, EOS, 10, MARK);
            assertThat(second.samplingParams().maxNewTokens()).isEqualTo(16 - 7);
        });
        assertThat(requests)
                .extracting(sent -> sent.samplingParams().samplingSeed())
                .doesNotHaveDuplicates();
    }

    @Test
    void anEnvironmentSeesTheTurnAndTheResponseWithoutSpecialTokens() {
        // Given
        own.body = turn -> turn.number() == 1 ? new TurnAnswer.Says("7<user>") : new TurnAnswer.Done();
        // When
        request(0, "own:mine");
        // Then
        assertThat(own.turns)
                .hasSize(2 * FakeRun.SAMPLES)
                .filteredOn(turn -> turn.number() == 2)
                .allSatisfy(turn -> {
                    assertThat(turn.said()).isEqualTo("5");
                    assertThat(turn.response().text()).isEqualTo("2+3=75");
                    assertThat(turn.response().prompt()).isEqualTo("1+1=");
                    assertThat(turn.response().label()).isEqualTo("2+3=55");
                });
    }

    @Test
    void enginesTakeOtherGroupsWhileEnvironmentsAreAsked() {
        // Given an engine of 8 samples and three groups of 4
        run.core.hold("turn-");
        request(0, "own:calculator");
        request(1, "own:calculator");
        // When
        request(2, "own:calculator");
        // Then
        assertThat(run.engines.newest().requests).hasSize(3 * FakeRun.SAMPLES);
        assertThat(run.engines.newest().requests)
                .extracting(sent -> sent.inputIds().length)
                .containsOnly(4);
        // And
        run.core.release("turn-");
        assertThat(run.log.of(GroupSampled.class)).hasSize(3);
    }

    @Test
    void aResponseHasNoMoreTurnsThanAllowedAndEndsWithTheModels() {
        // Given
        maxTurns = 2;
        // When
        request(0, "own:mine");
        // Then
        assertThat(sampled().samples()).allSatisfy(sample -> {
            assertThat(sample.finishReason()).isEqualTo(FinishReason.LENGTH);
            assertThat(sample.lossMask().toArray()).containsExactly(1, 1, 1, 1, 1, 0, 1, 1, 1, 1, 1);
        });
        assertThat(own.turns).hasSize(2 * FakeRun.SAMPLES);
    }

    @Test
    void anAnswerAfterWhichTheModelHasNoRoomEndsTheResponseBeforeIt() {
        // Given
        maxTokens = 8;
        own.body = turn -> new TurnAnswer.Says("123");
        // When
        request(0, "own:mine");
        // Then
        assertThat(sampled().samples()).allSatisfy(sample -> {
            assertThat(sample.finishReason()).isEqualTo(FinishReason.LENGTH);
            assertThat(sample.tokens().toArray()).containsExactly(SUM);
        });
    }

    @Test
    void anEnvironmentThatHangsOrFloodsOrFailsEndsItsSampleAlone() {
        // Given
        own.body = turn -> switch (own.turns.size()) {
            case 1 -> {
                Thread.sleep(60_000);
                yield new TurnAnswer.Done();
            }
            case 2 -> new TurnAnswer.Says("1".repeat(1 << 20));
            case 3 -> throw new IllegalStateException("no such tool");
            default -> new TurnAnswer.Done();
        };
        // When
        request(0, "own:mine");
        // Then
        assertThat(sampled().samples())
                .extracting(Sample::finishReason)
                .containsExactly(FinishReason.FAILED, FinishReason.FAILED, FinishReason.FAILED, FinishReason.STOP);
        assertThat(sampled().samples().subList(0, 3))
                .extracting(Sample::unscored)
                .containsExactly(
                        "turn 1: the environment own:mine: mine did not end within 1.0 s",
                        "turn 1: the environment own:mine: it said 1048576 characters; at most 262144 are read,"
                                + " so let it shorten them",
                        "turn 1: the environment own:mine: it failed: java.lang.IllegalStateException: no such tool");
        assertThat(sampled().tokensAborted()).isEqualTo(3 * SUM.length);
        // And the pool goes on
        request(1, "own:calculator");
        assertThat(run.log.of(GroupSampled.class)).hasSize(2);
    }

    @Test
    void aGroupWhoseEnvironmentIsNotHereSaysSo() {
        // When
        request(0, "own:browser");
        // Then
        assertThat(run.log.of(GroupAbandoned.class))
                .singleElement()
                .satisfies(group -> assertThat(group.reason())
                        .contains("own:browser: this instance does not have it, only [calculator, mine]"));
    }

    @Test
    void aGroupThatWaitsForItsEnvironmentEndsAtItsDeadline() {
        // Given
        run.core.hold("turn-");
        request(0, "own:mine");
        // When
        run.core.advance(Duration.ofHours(1));
        // Then
        assertThat(run.log.of(GroupAbandoned.class)).singleElement().satisfies(group -> {
            assertThat(group.reason()).contains("4 at their environment");
            assertThat(group.tokensAborted()).isEqualTo(FakeRun.SAMPLES * SUM.length);
        });
        // And what it answers then changes nothing
        run.core.release("turn-");
        assertThat(run.log.of(GroupSampled.class)).isEmpty();
    }

    @Test
    void newWeightsBetweenTwoTurnsBeginTheResponseAnew() throws IOException {
        // When
        newWeightsBetweenTurns();
        // Then
        assertThat(sampled().samples())
                .allSatisfy(sample -> assertThat(sample.versions()).containsExactly(new VersionSpan(1, 9)));
        assertThat(sampled().tokensAborted()).isEqualTo(FakeRun.SAMPLES * 7);
    }

    @Test
    void newWeightsGoOnWhereTheRequestSaysSoAndTheAnswerCountsToTheTurnBefore() throws IOException {
        // Given
        partialRollout = PartialRollout.CONTINUE;
        // When
        newWeightsBetweenTurns();
        // Then
        assertThat(sampled().samples()).allSatisfy(sample -> {
            assertThat(sample.versions()).containsExactly(new VersionSpan(0, 7), new VersionSpan(1, 2));
            assertThat(sample.lossMask().toArray()).containsExactly(1, 1, 1, 1, 1, 0, 0, 1, 1);
        });
    }

    @Test
    void olderTurnsCanBeMasked() throws IOException {
        // Given
        partialRollout = PartialRollout.CONTINUE_MASKED;
        // When
        newWeightsBetweenTurns();
        // Then
        assertThat(sampled().samples())
                .allSatisfy(
                        sample -> assertThat(sample.lossMask().toArray()).containsExactly(0, 0, 0, 0, 0, 0, 0, 1, 1));
    }

    private void newWeightsBetweenTurns() throws IOException {
        run.core.hold("turn-");
        request(0, "own:calculator");
        run.publish(1);
        run.core.advance(Duration.ofSeconds(3));
        run.core.release("turn-");
    }

    @Test
    void whatIsParkedWhileItsEnvironmentIsAskedBeginsBeforeThatTurn() {
        // Given
        run.core.hold("turn-");
        request(0, "own:calculator");
        // When
        run.drain();
        // Then
        assertThat(run.log.of(SamplesParked.class)).singleElement().satisfies(group -> {
            assertThat(group.samples()).isEmpty();
            assertThat(group.tokensAborted()).isEqualTo(FakeRun.SAMPLES * SUM.length);
        });
    }

    @Test
    void aParkedResponseGoesOnInItsSecondTurn() {
        // Given
        parked = List.of(new Sample(
                0,
                Int32Array.of(7, 15, 8, 19, EOS, 10, MARK),
                Float32Array.of(-1, -1, -1, -1, -1, 0, 0),
                UInt8Array.of(new byte[] {1, 1, 1, 1, 1, 0, 0}),
                null,
                "it is not finished",
                FinishReason.PARKED,
                List.of(new VersionSpan(0, 7)),
                "elsewhere",
                0,
                0,
                0,
                null,
                null,
                null,
                null));
        own.body = turn -> new TurnAnswer.Done();
        // When
        request(0, "own:mine");
        // Then
        assertThat(own.turns).extracting(Turn::number).containsExactlyInAnyOrder(2, 1, 1, 1);
        assertThat(sampled().samples().getFirst().lossMask().toArray()).containsExactly(1, 1, 1, 1, 1, 0, 0, 1, 1);
        assertThat(sampled().samples().getFirst().logprobs().toArray())
                .containsExactly(-1, -1, -1, -1, -1, 0, 0, -0.5f, -0.5f);
    }

    private GroupSampled sampled() {
        assertThat(run.log.of(GroupSampled.class)).isNotEmpty();
        return run.log.of(GroupSampled.class).getFirst();
    }

    private void request(long cursor, String hook) {
        run.request(new GroupRequested(
                "run",
                1,
                "run/" + cursor,
                cursor,
                0,
                1,
                "rollout-1",
                Prompt.of("1+1="),
                "2+3=55",
                "exact",
                FakeRun.SAMPLES,
                new Sampling(1, 1, -1, maxTokens, 42),
                0,
                null,
                run.core.now().plusSeconds(3600),
                partialRollout,
                parked,
                null,
                null,
                new Turns(hook, maxTurns, 1),
                null));
    }
}
