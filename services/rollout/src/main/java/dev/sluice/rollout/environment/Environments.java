package dev.sluice.rollout.environment;

import dev.sluice.domain.environment.EnvironmentFunction;
import dev.sluice.domain.environment.EnvironmentHook;
import dev.sluice.domain.environment.TurnAnswer;
import dev.sluice.domain.request.AllowedUrls;
import dev.sluice.rollout.reward.GuardedThread;
import dev.sluice.rollout.reward.Lanes;
import dev.sluice.rollout.reward.Time;
import java.time.Duration;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeoutException;

/** Asks environments for their turns. Every call ends in its time, whatever it asks. Thread-safe; blocks meanwhile. */
public final class Environments {
    /** More than any model reads in one turn; keeps one answer from filling the heap. */
    static final int MAX_CHARACTERS = 1 << 18;

    private final AllowedUrls urls;
    private final Lanes lanes;
    private final Map<String, EnvironmentFunction> own = new TreeMap<>();
    private final Map<String, GuardedThread> threads = new ConcurrentHashMap<>();

    /**
     * @param urlPrefixes what addresses that this instance calls begin with
     * @param callsAtOnce bound of the calls at once to one environment
     * @param own environments that this instance was given
     * @throws IllegalArgumentException if a prefix is no address, or a name is used twice or is none
     */
    public Environments(List<String> urlPrefixes, int callsAtOnce, Collection<EnvironmentFunction> own) {
        this.urls = new AllowedUrls("sluice.rollout.environment-urls", urlPrefixes);
        this.lanes = new Lanes(callsAtOnce);
        own.forEach(this::add);
    }

    private void add(EnvironmentFunction function) {
        String name = function.name();
        if (!(EnvironmentHook.of("own:" + name) instanceof EnvironmentHook.Own)) {
            throw new IllegalArgumentException(
                    "%s calls its environment '%s'; use 1 to 64 letters, digits, dots, underscores and hyphens"
                            .formatted(function.getClass().getName(), name));
        }
        EnvironmentFunction other = own.put(name, function);
        if (other != null) {
            throw new IllegalArgumentException("%s and %s both call their environment %s; rename one"
                    .formatted(other.getClass().getName(), function.getClass().getName(), name));
        }
    }

    /**
     * What the environment does after a turn.
     *
     * @throws EnvironmentException if it may not be asked, hangs, lies or dies
     */
    public TurnAnswer answer(EnvironmentAsk ask) throws EnvironmentException {
        Duration asked = Duration.ofSeconds(ask.turns().turnTimeoutSeconds());
        Duration limit = asked.compareTo(ask.left()) < 0 ? asked : ask.left();
        if (!limit.isPositive()) {
            throw new EnvironmentException("the group's time was over before it was asked");
        }
        Time time = Time.of(limit);
        String hook = ask.turns().hook();
        try {
            Optional<TurnAnswer> answer = lanes.call(hook, limit, () -> asked(hook, ask, time));
            return checked(answer.orElseThrow(() -> new EnvironmentException("no room for another call within "
                    + time.seconds() + "; it is too slow for the samples that come")));
        } catch (EnvironmentException failure) {
            throw new EnvironmentException("the environment %s: %s".formatted(hook, failure.getMessage()));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new EnvironmentException("the turn was cut off: the instance lets go of the run");
        } catch (Exception e) {
            throw new EnvironmentException("the environment %s failed: %s".formatted(hook, e));
        }
    }

    private TurnAnswer asked(String hook, EnvironmentAsk ask, Time time)
            throws EnvironmentException, InterruptedException {
        return switch (EnvironmentHook.of(hook)) {
            case EnvironmentHook.Own named -> own(named.name(), ask, time);
            case EnvironmentHook.Remote remote -> {
                Optional<String> objection = urls.objection(remote.url());
                if (objection.isPresent()) {
                    throw new EnvironmentException(objection.get());
                }
                yield RemoteEnvironment.answer(remote.url(), ask, time);
            }
        };
    }

    private TurnAnswer own(String name, EnvironmentAsk ask, Time time)
            throws EnvironmentException, InterruptedException {
        EnvironmentFunction function = own.get(name);
        if (function == null) {
            throw new EnvironmentException("this instance does not have it, only %s; add its jar to %s"
                    .formatted(own.keySet(), "sluice.rollout.reward-jars"));
        }
        try {
            TurnAnswer answer = threads.computeIfAbsent(name, GuardedThread::new)
                    .call(time, () -> Optional.ofNullable(function.answer(ask.turn())))
                    .orElse(null);
            if (answer == null) {
                throw new EnvironmentException("it returned null; say Done or Says");
            }
            return answer;
        } catch (TimeoutException e) {
            throw new EnvironmentException(String.valueOf(e.getMessage()));
        } catch (ExecutionException e) {
            throw new EnvironmentException("it failed: " + e.getCause());
        }
    }

    private static TurnAnswer checked(TurnAnswer answer) throws EnvironmentException {
        if (answer instanceof TurnAnswer.Says says) {
            String text = says.text();
            if (text == null || text.isEmpty()) {
                throw new EnvironmentException("it said nothing; let it answer done, or a text");
            }
            if (text.length() > MAX_CHARACTERS) {
                throw new EnvironmentException("it said %d characters; at most %d are read, so let it shorten them"
                        .formatted(text.length(), MAX_CHARACTERS));
            }
        }
        return answer;
    }
}
