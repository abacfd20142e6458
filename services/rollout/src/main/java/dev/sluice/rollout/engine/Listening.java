package dev.sluice.rollout.engine;

import java.net.Inet6Address;
import java.net.InetAddress;
import java.net.URI;
import java.net.UnknownHostException;
import org.jspecify.annotations.Nullable;

/**
 * Where engines that this instance starts answer, and whom.
 *
 * @param host that they bind, by which a worker reaches them too
 * @param apiKey bearer token that they ask for; null where they ask for none
 */
public record Listening(String host, @Nullable String apiKey) {
    /** This host alone. */
    public static final Listening HERE = new Listening("127.0.0.1", null);

    public Listening {
        InetAddress address = resolved(host);
        if (address.isAnyLocalAddress()) {
            throw new IllegalArgumentException(
                    "sluice.rollout.engine.host=%s is no address by which others reach this host; give one of its own"
                            .formatted(host));
        }
        if (!address.isLoopbackAddress() && apiKey == null) {
            throw new IllegalArgumentException(
                    "sluice.rollout.engine.host=%s lets everybody who reaches %s use its engines and replace their weights; set sluice.rollout.engine.api-key (and SLUICE_ENGINE_TOKEN, the same, for the worker)"
                            .formatted(host, host));
        }
    }

    private static InetAddress resolved(String host) {
        try {
            return InetAddress.getByName(host);
        } catch (UnknownHostException e) {
            throw new IllegalArgumentException(
                    "sluice.rollout.engine.host=%s is no address or name that this host knows".formatted(host), e);
        }
    }

    /** Without the token. */
    @Override
    public String toString() {
        return "Listening[host=" + host + "]";
    }

    URI address(int port) {
        boolean literal = host.contains(":") && resolved(host) instanceof Inet6Address;
        return URI.create("http://%s:%d".formatted(literal ? "[" + host + "]" : host, port));
    }
}
