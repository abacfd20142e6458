package dev.sluice.rollout.sampling;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.sluice.events.GroupEvent.VersionSpan;
import dev.sluice.sglang.StreamedSamples.Labelled;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class TokenVersionsTest {
    @Test
    void tokensOfTheFirstFrameOfNewWeightsCountToTheOlderVersion() {
        // Given: frames of 3 and 2 tokens by version 4, then one of 2 that straddles the update, then 5 more
        List<Labelled> labels = List.of(new Labelled("4", 3, 5), new Labelled("5", 2, 7));
        // Then
        assertThat(TokenVersions.of(labels, 4, 5)).containsExactly(new VersionSpan(4, 7), new VersionSpan(5, 5));
    }

    @Test
    void aReplyThatComesInOneFrameAfterTheUpdateIsByTheVersionThatItWasSentTo() {
        assertThat(TokenVersions.of(List.of(new Labelled("5", 9, 9)), 4, 5)).containsExactly(new VersionSpan(4, 9));
    }

    @Test
    void twoUpdatesBetweenTwoFramesLeaveTheirTokensToTheOldest() {
        assertThat(TokenVersions.of(List.of(new Labelled("1", 4, 4), new Labelled("3", 6, 8)), 1, 3))
                .containsExactly(new VersionSpan(1, 10), new VersionSpan(3, 2));
    }

    @Test
    void theSourceWeightsMayBeCalledDefault() {
        assertThat(TokenVersions.of(List.of(new Labelled("default", 1, 2), new Labelled("1", 1, 4)), 0, 1))
                .containsExactly(new VersionSpan(0, 3), new VersionSpan(1, 3));
    }

    @Test
    void weightsThatTheEngineCouldNotHoldAreNoVersionAtAll() {
        assertThatThrownBy(() -> TokenVersions.of(List.of(new Labelled("5", 1, 1), new Labelled("4", 1, 1)), 5, 5))
                .hasMessage("sent it with weight version 5 and answered with '4'");
        assertThatThrownBy(() -> TokenVersions.of(List.of(new Labelled("6", 1, 1)), 4, 5))
                .hasMessage("sent it with weight version 4 and answered with '6'");
        assertThatThrownBy(() -> TokenVersions.of(List.of(new Labelled("mine", 1, 1)), 4, 5))
                .hasMessageContaining("'mine'");
    }

    /** An engine that samples tokens one by one, changes its weights and sends frames whenever it likes. */
    @Test
    void noTokenEverCountsToANewerVersionThanItsOwnAndNoneIsLost() {
        for (long seed = 0; seed < 500; seed++) {
            // Given
            Random random = new Random(seed);
            List<Integer> truth = new ArrayList<>();
            List<int[]> frames = new ArrayList<>();
            int held = 7;
            int unsent = 0;
            for (int event = 0; event < 60; event++) {
                switch (random.nextInt(4)) {
                    case 0 -> held += random.nextInt(2);
                    case 1 -> {
                        frames.add(new int[] {held, unsent});
                        unsent = 0;
                    }
                    default -> {
                        truth.add(held);
                        unsent++;
                    }
                }
            }
            frames.add(new int[] {held, unsent});
            // When
            List<VersionSpan> spans = TokenVersions.of(labels(frames), 7, held);
            // Then
            List<Integer> counted = spans.stream()
                    .flatMap(span -> IntStream.range(0, span.tokens()).mapToObj(i -> span.version()))
                    .toList();
            assertThat(counted).as("seed %d", seed).hasSameSizeAs(truth).isSorted();
            for (int i = 0; i < counted.size(); i++) {
                assertThat(counted.get(i)).as("seed %d, token %d", seed, i).isLessThanOrEqualTo(truth.get(i));
            }
            assertThat(spans).as("seed %d", seed).allMatch(span -> span.tokens() > 0);
        }
    }

    private static List<Labelled> labels(List<int[]> frames) {
        List<Labelled> labels = new ArrayList<>();
        for (int[] frame : frames) {
            String label = Integer.toString(frame[0]);
            if (!labels.isEmpty() && labels.getLast().weightVersion().equals(label)) {
                Labelled before = labels.removeLast();
                labels.add(new Labelled(label, before.first(), before.tokens() + frame[1]));
            } else {
                labels.add(new Labelled(label, frame[1], frame[1]));
            }
        }
        return labels;
    }
}
