package dev.sluice.rollout.reward;

import com.fasterxml.jackson.databind.JsonNode;
import dev.sluice.domain.request.AllowedUrls;
import dev.sluice.domain.reward.RewardType;
import dev.sluice.domain.reward.RewardValue;
import dev.sluice.events.TrainingRequest.RewardPart;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Scores the responses of groups. Every reward ends in its time, whatever it calls; what has no score has a reason. Thread-safe; blocks
 * while rewards are computed.
 */
public final class Rewards {
    private static final Duration DEFAULT_TIMEOUT = Duration.ofSeconds(120);
    private static final String ROW_TYPE = "rm_type";

    private final Judges judges;

    /**
     * @param urlPrefixes what addresses that this instance calls begin with
     * @param callsAtOnce bound of the calls at once to one address, or of one own reward
     * @throws IllegalArgumentException if a prefix is no address
     */
    public Rewards(List<String> urlPrefixes, int callsAtOnce, OwnRewards own) {
        this.judges =
                new Judges(new AllowedUrls("sluice.rollout.reward-urls", urlPrefixes), new Lanes(callsAtOnce), own);
    }

    /** One score for each response, in their order. */
    public List<Score> score(RewardAsk ask) {
        List<Score> sums = new ArrayList<>(Collections.nCopies(ask.responses().size(), Score.of(0)));
        for (RewardPart part : ask.reward().parts()) {
            RewardPart asked = ask.reward().mixture().isEmpty() ? asTheRowSays(part, ask) : part;
            List<RewardValue> values = values(asked, ask);
            for (int i = 0; i < sums.size(); i++) {
                sums.set(i, sum(sums.get(i), asked, values.get(i)));
            }
        }
        return sums;
    }

    private List<RewardValue> values(RewardPart part, RewardAsk ask) {
        Duration own = part.timeoutSeconds() == 0 ? DEFAULT_TIMEOUT : Duration.ofSeconds(part.timeoutSeconds());
        Duration limit = own.compareTo(ask.left()) < 0 ? own : ask.left();
        if (!limit.isPositive()) {
            return same(ask, "the group's time was over before the reward " + part.type() + " was asked");
        }
        try {
            return judges.judge(part, ask, Time.of(limit));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return same(ask, "the reward was cut off: the instance lets go of the run");
        }
    }

    private static List<RewardValue> same(RewardAsk ask, String reason) {
        return Collections.nCopies(ask.responses().size(), new RewardValue.Unscored(reason));
    }

    /** A row's {@code rm_type} goes before the request's, as in slime; what the operator's own code says goes before both. */
    private static RewardPart asTheRowSays(RewardPart part, RewardAsk ask) {
        JsonNode type = ask.responses().getFirst().metadata().path(ROW_TYPE);
        boolean said = type.isTextual() && !type.asText().isBlank();
        return said && !(RewardType.of(part.type()) instanceof RewardType.Own)
                ? new RewardPart(
                        type.asText().strip(),
                        part.key(),
                        part.url(),
                        part.weight(),
                        part.timeoutSeconds(),
                        part.group())
                : part;
    }

    private static Score sum(Score sum, RewardPart part, RewardValue value) {
        if (sum.unscored() != null) {
            return sum;
        }
        return switch (value.at(part.key())) {
            case RewardValue.Single single -> finite(sum.reward(), part, single.score());
            case RewardValue.Unscored unscored -> Score.none("reward %s: %s".formatted(part.type(), unscored.reason()));
            case RewardValue.Dictionary dictionary -> throw new IllegalStateException("a key picks one number");
        };
    }

    private static Score finite(@Nullable Double sum, RewardPart part, double score) {
        double total = (sum == null ? 0 : sum) + part.weight() * score;
        return Double.isFinite(total)
                ? Score.of(total)
                : Score.none(
                        "%s x %s of the reward %s is no finite number".formatted(part.weight(), score, part.type()));
    }
}
