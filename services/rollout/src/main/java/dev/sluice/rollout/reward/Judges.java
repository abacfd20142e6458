package dev.sluice.rollout.reward;

import dev.sluice.domain.request.AllowedUrls;
import dev.sluice.domain.reward.Response;
import dev.sluice.domain.reward.Reward;
import dev.sluice.domain.reward.RewardFunction;
import dev.sluice.domain.reward.RewardType;
import dev.sluice.domain.reward.RewardValue;
import dev.sluice.events.TrainingRequest.RewardPart;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/** Who answers for each kind of reward, and within which bounds. */
record Judges(AllowedUrls urls, Lanes lanes, OwnRewards own, Map<String, GuardedThread> threads) {
    /** Each call ends itself and says why; this ends those that do not. */
    private static final Duration GRACE = Duration.ofMillis(500);

    Judges(AllowedUrls urls, Lanes lanes, OwnRewards own) {
        this(urls, lanes, own, new ConcurrentHashMap<>());
    }

    /** One value for each response. */
    List<RewardValue> judge(RewardPart part, RewardAsk ask, Time time) throws InterruptedException {
        return switch (RewardType.of(part.type())) {
            case RewardType.Built built -> built(built.reward(), ask, time);
            case RewardType.Remote remote -> remote(part, ask, time);
            case RewardType.Hosted hosted -> part.url() == null ? same(ask, hosted.help()) : remote(part, ask, time);
            case RewardType.Own named -> own(named.name(), part, ask, time);
            case RewardType.Unknown unknown ->
                same(ask, "there is no reward '%s'; known: %s".formatted(unknown.name(), RewardType.names()));
        };
    }

    private List<RewardValue> built(Reward reward, RewardAsk ask, Time time) throws InterruptedException {
        return guarded(
                reward.name(),
                ask,
                time,
                () -> ask.responses().stream().map(reward::score).toList());
    }

    private List<RewardValue> remote(RewardPart part, RewardAsk ask, Time time) throws InterruptedException {
        String url = part.url();
        Optional<String> objection = url == null ? Optional.of("the reward has no url") : urls.objection(url);
        if (objection.isPresent() || url == null) {
            return same(ask, objection.orElse("the reward has no url"));
        }
        RemoteReward service = new RemoteReward(url);
        if (part.group()) {
            return inLane(url, ask.responses().size(), time, () -> service.all(ask.prompt(), ask.responses(), time));
        }
        return each(
                ask,
                time,
                response -> inLane(url, 1, time, () -> List.of(service.one(ask.prompt(), response, time)))
                        .getFirst());
    }

    private List<RewardValue> own(String name, RewardPart part, RewardAsk ask, Time time) throws InterruptedException {
        Optional<RewardFunction> found = own.named(name);
        if (found.isEmpty()) {
            return same(
                    ask,
                    "this instance has no own reward %s, only %s; add its jar to sluice.rollout.reward-jars"
                            .formatted(name, own.names()));
        }
        RewardFunction function = found.get();
        if (part.group()) {
            return inLane(name, ask.responses().size(), time, () -> called(function, ask, ask.responses(), time));
        }
        return each(
                ask,
                time,
                response -> inLane(name, 1, time, () -> called(function, ask, List.of(response), time))
                        .getFirst());
    }

    private List<RewardValue> called(RewardFunction function, RewardAsk ask, List<Response> responses, Time time)
            throws InterruptedException {
        RewardAsk some = new RewardAsk(ask.reward(), ask.prompt(), responses, ask.left());
        List<RewardValue> values = guarded(function.name(), some, time, () -> function.score(responses));
        boolean fit = values != null
                && values.size() == responses.size()
                && values.stream().allMatch(Objects::nonNull);
        return fit
                ? values
                : same(
                        some,
                        "%d responses were given to %s and it returned %s"
                                .formatted(
                                        responses.size(),
                                        function.name(),
                                        values == null ? "null" : values.size() + " values"));
    }

    private List<RewardValue> guarded(String name, RewardAsk ask, Time time, Callable<List<RewardValue>> call)
            throws InterruptedException {
        try {
            return threads.computeIfAbsent(name, GuardedThread::new).call(time, call);
        } catch (TimeoutException e) {
            return same(ask, String.valueOf(e.getMessage()));
        } catch (ExecutionException e) {
            return same(ask, "%s failed: %s".formatted(name, e.getCause()));
        }
    }

    private List<RewardValue> inLane(String lane, int responses, Time time, Callable<List<RewardValue>> call)
            throws InterruptedException {
        try {
            return lanes.call(lane, time.left(), call)
                    .orElseGet(() -> Collections.nCopies(
                            responses,
                            new RewardValue.Unscored("no room for another call within " + time.seconds()
                                    + "; the reward is too slow for the samples that come")));
        } catch (InterruptedException e) {
            throw e;
        } catch (Exception e) {
            return Collections.nCopies(responses, new RewardValue.Unscored("the call failed: " + e));
        }
    }

    /** Judges one response; may block. */
    private interface Judge {
        RewardValue judge(Response response) throws InterruptedException;
    }

    /** All responses at once, each on a thread of its own. */
    private static List<RewardValue> each(RewardAsk ask, Time time, Judge judge) throws InterruptedException {
        try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
            List<Callable<RewardValue>> calls = ask.responses().stream()
                    .<Callable<RewardValue>>map(response -> () -> judge.judge(response))
                    .toList();
            List<Future<RewardValue>> done =
                    threads.invokeAll(calls, time.left().plus(GRACE).toNanos(), TimeUnit.NANOSECONDS);
            List<RewardValue> values = new ArrayList<>();
            done.forEach(value -> values.add(
                    switch (value.state()) {
                        case SUCCESS -> value.resultNow();
                        case FAILED -> new RewardValue.Unscored("the call failed: " + value.exceptionNow());
                        case CANCELLED, RUNNING -> new RewardValue.Unscored("no answer within " + time.seconds());
                    }));
            return values;
        }
    }

    private static List<RewardValue> same(RewardAsk ask, String reason) {
        return Collections.nCopies(ask.responses().size(), new RewardValue.Unscored(reason));
    }
}
