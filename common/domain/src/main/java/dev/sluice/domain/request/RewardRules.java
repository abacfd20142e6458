package dev.sluice.domain.request;

import dev.sluice.domain.request.RequestRule.Findings;
import dev.sluice.domain.reward.Reward;
import dev.sluice.domain.reward.RewardType;
import dev.sluice.domain.spelling.Spelling;
import dev.sluice.events.TrainingRequest;
import dev.sluice.events.TrainingRequest.RewardPart;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/** Rules about the reward, alone or as parts of a mixture. Whether an instance may call its URL only the instance knows. */
final class RewardRules {
    static final String MIXTURE = "mixture";
    static final List<RequestRule> ALL = List.of(
            new RequestRule("reward.known", "every reward exists", RewardRules::known),
            new RequestRule("reward.mixture", "a mixture has parts, and nothing else has", RewardRules::mixture),
            new RequestRule("reward.url", "a remote reward has an address, and no other has", RewardRules::url),
            new RequestRule("reward.key", "a key is one that the reward has", RewardRules::key),
            new RequestRule("reward.group", "only remote and own rewards judge groups", RewardRules::group),
            new RequestRule("reward.time", "a reward ends before its group does", RewardRules::time));

    private static final int MAX_PARTS = 16;
    private static final Set<String> DAPO_KEYS = Set.of("score", "acc");

    private RewardRules() {}

    /** A reward and where it stands in the request. */
    private record Place(String path, RewardPart part) {
        RewardType type() {
            return RewardType.of(part.type());
        }

        /** Whether somebody elsewhere is asked for it. */
        boolean isAsked() {
            return type() instanceof RewardType.Remote || type() instanceof RewardType.Hosted;
        }
    }

    private static List<Place> places(TrainingRequest request) {
        TrainingRequest.Reward reward = request.reward();
        if (reward.mixture().isEmpty()) {
            return reward.type().equals(MIXTURE)
                    ? List.of()
                    : List.of(new Place("reward", reward.parts().getFirst()));
        }
        List<Place> places = new ArrayList<>();
        for (int i = 0; i < reward.mixture().size(); i++) {
            places.add(new Place(
                    "reward.mixture[%d]".formatted(i), reward.mixture().get(i)));
        }
        return places;
    }

    private static void known(TrainingRequest request, Facts facts, Findings findings) {
        for (Place place : places(request)) {
            String name = place.part().type();
            String path = place.path() + ".type";
            String mend = "use one of " + String.join(", ", RewardType.names());
            if (!(place.type() instanceof RewardType.Unknown)) {
                continue;
            }
            if (SlimeNames.REWARDS.contains(name)) {
                findings.hindrance(path, "the reward %s is not computed yet".formatted(name), mend);
            } else {
                findings.error(
                        path,
                        "no reward is called %s%s".formatted(name, Spelling.didYouMean(name, RewardType.names())),
                        mend);
            }
        }
    }

    private static void mixture(TrainingRequest request, Facts facts, Findings findings) {
        TrainingRequest.Reward reward = request.reward();
        List<RewardPart> parts = reward.mixture();
        if (reward.type().equals(MIXTURE) && parts.isEmpty()) {
            findings.error(
                    "reward.mixture",
                    "a mixture has no rewards",
                    "list them, such as [{type: dapo, weight: 1}, {type: f1, weight: 0.2}]");
        } else if (!reward.type().equals(MIXTURE) && !parts.isEmpty()) {
            findings.error(
                    "reward.mixture",
                    "reward.type is %s, and a mixture of %d rewards is given too"
                            .formatted(reward.type(), parts.size()),
                    "leave reward.type out, or the mixture");
        }
        if (parts.size() > MAX_PARTS) {
            findings.error(
                    "reward.mixture", "has %d rewards".formatted(parts.size()), "give at most %d".formatted(MAX_PARTS));
        }
        if (!parts.isEmpty() && (reward.key() != null || reward.url() != null || reward.group())) {
            findings.error(
                    "reward",
                    "key, url and group of a mixture belong to its rewards",
                    "write them into the entries of reward.mixture");
        }
        for (int i = 0; i < parts.size(); i++) {
            if (parts.get(i).weight() == 0) {
                findings.error(
                        "reward.mixture[%d].weight".formatted(i),
                        "a reward of weight 0 counts for nothing",
                        "remove it or weigh it");
            }
        }
    }

    private static void url(TrainingRequest request, Facts facts, Findings findings) {
        for (Place place : places(request)) {
            String path = place.path() + ".url";
            String url = place.part().url();
            boolean remote = place.isAsked();
            if (url == null && place.type() instanceof RewardType.Hosted hosted) {
                findings.error(path, hosted.help(), "url: http://127.0.0.1:8090/reward");
            } else if (remote && url == null) {
                findings.error(
                        path, "a remote reward has no url", "give the address that takes {prompt, response, label}");
            } else if (!remote && url != null && !(place.type() instanceof RewardType.Unknown)) {
                findings.error(
                        path,
                        "the reward %s calls nobody".formatted(place.part().type()),
                        "remove it, or set type to remote");
            } else if (remote) {
                RewardType.objection(url)
                        .ifPresent(problem -> findings.error(
                                path, problem, "give an address such as http://rewards.example:8090/reward"));
            }
        }
    }

    private static void key(TrainingRequest request, Facts facts, Findings findings) {
        for (Place place : places(request)) {
            String key = place.part().key();
            if (key == null || !(place.type() instanceof RewardType.Built built)) {
                continue;
            }
            Reward reward = built.reward();
            boolean dapo = reward.name().endsWith("dapo");
            if (!dapo) {
                findings.error(
                        place.path() + ".key",
                        "the reward %s is one number".formatted(reward.name()),
                        "remove the key");
            } else if (!DAPO_KEYS.contains(key)) {
                findings.error(
                        place.path() + ".key",
                        "the reward dapo has no number %s%s".formatted(key, Spelling.didYouMean(key, DAPO_KEYS)),
                        "use score (1 or -1) or acc (1 or 0)");
            }
        }
    }

    private static void group(TrainingRequest request, Facts facts, Findings findings) {
        for (Place place : places(request)) {
            if (place.part().group() && place.type() instanceof RewardType.Built built) {
                findings.error(
                        place.path() + ".group",
                        "the reward %s judges each response by itself"
                                .formatted(built.reward().name()),
                        "set it to false");
            }
        }
    }

    private static void time(TrainingRequest request, Facts facts, Findings findings) {
        int deadline = request.rollout().groupDeadlineSeconds();
        for (Place place : places(request)) {
            int timeout = place.part().timeoutSeconds();
            if (place.isAsked() && timeout >= deadline) {
                findings.warning(
                        place.path() + ".timeoutSeconds",
                        "the reward may take %d s of the %d s in which its group must be done"
                                .formatted(timeout, deadline),
                        "lower it, or raise rollout.groupDeadlineSeconds");
            }
        }
    }
}
