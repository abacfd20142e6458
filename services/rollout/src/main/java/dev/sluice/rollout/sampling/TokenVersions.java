package dev.sluice.rollout.sampling;

import dev.sluice.events.GroupEvent.VersionSpan;
import dev.sluice.sglang.StreamedSamples.Labelled;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;

/**
 * Which weight version sampled which tokens of a reply. An engine names the weights that it holds when a frame is sent, not
 * those of each token. So where a frame is the first to name a newer version, some of its tokens, or all, were sampled before
 * the update: <b>all of them count to the version before</b>. A token may thus count to an older version than its own, never to
 * a newer one: the policy lag of a sample (the publications between its oldest span and its use) is never understated, and a
 * bound {@code minWeightVersion} that its spans satisfy was satisfied by every token (protocol, section 2, invariants f and h).
 * That holds as long as a frame that an engine made before it paused is not still on its way within the engine when the load
 * has ended. In mode abort no update comes between two tokens of a reply, so its one span is exact.
 */
final class TokenVersions {
    /** Engines call the weights they start with so. */
    private static final String LABEL_OF_SOURCE = "default";

    private TokenVersions() {}

    /**
     * The spans of a reply's tokens, oldest first; no neighbours of one version, none empty.
     *
     * @param labels what its frames said, in their order
     * @param version that it was sent to
     * @param newest that the engine was told to load since
     * @throws IllegalArgumentException if the engine named weights that it could not hold then
     */
    static List<VersionSpan> of(List<Labelled> labels, int version, int newest) {
        List<VersionSpan> spans = new ArrayList<>();
        int before = version;
        for (Labelled frames : labels) {
            int named = number(frames.weightVersion()).orElse(-1);
            if (named < before || named > newest) {
                throw new IllegalArgumentException("sent it with weight version %d and answered with '%s'"
                        .formatted(before, frames.weightVersion()));
            }
            int older = named > before ? frames.first() : 0;
            add(spans, before, older);
            add(spans, named, frames.tokens() - older);
            before = named;
        }
        return spans;
    }

    private static void add(List<VersionSpan> spans, int version, int tokens) {
        if (tokens > 0) {
            int known = !spans.isEmpty() && spans.getLast().version() == version
                    ? spans.removeLast().tokens()
                    : 0;
            spans.add(new VersionSpan(version, known + tokens));
        }
    }

    private static OptionalInt number(String label) {
        try {
            return OptionalInt.of(label.equals(LABEL_OF_SOURCE) ? 0 : Integer.parseInt(label));
        } catch (NumberFormatException e) {
            return OptionalInt.empty();
        }
    }
}
