package dev.sluice.domain.request;

import dev.sluice.domain.reward.RewardType;
import java.net.URI;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/** The addresses that requests may cause a service to call, by what they begin with; none unless configured. */
public final class AllowedUrls {
    private final String key;
    private final List<URI> prefixes;

    /**
     * @param key of the configuration that lists them, for messages
     * @throws IllegalArgumentException if one of them is no http(s) address
     */
    public AllowedUrls(String key, List<String> prefixes) {
        this.key = key;
        prefixes.forEach(prefix -> RewardType.objection(prefix).ifPresent(problem -> {
            throw new IllegalArgumentException("%s has %s: %s".formatted(key, prefix, problem));
        }));
        this.prefixes = prefixes.stream().map(URI::create).toList();
    }

    /** Why the address must not be called, if it must not. */
    public Optional<String> objection(String url) {
        Optional<String> malformed = RewardType.objection(url);
        if (malformed.isPresent()) {
            return malformed;
        }
        URI uri = URI.create(url);
        return prefixes.stream().anyMatch(prefix -> covers(prefix, uri))
                ? Optional.empty()
                : Optional.of("%s is not covered by this instance's %s %s; add it there, or ask somebody else"
                        .formatted(url, key, prefixes));
    }

    private static boolean covers(URI prefix, URI uri) {
        return prefix.getScheme().equals(uri.getScheme())
                && prefix.getHost().equalsIgnoreCase(uri.getHost())
                && port(prefix) == port(uri)
                && pathCovers(path(prefix), path(uri));
    }

    /** At whole segments; a path that climbs, also in disguise, is covered by none. */
    private static boolean pathCovers(String prefix, String path) {
        String plain = path.toLowerCase(Locale.ROOT);
        if (plain.contains("/..") || plain.contains("%2e") || plain.contains("%2f") || plain.contains("\\")) {
            return false;
        }
        String whole = prefix.endsWith("/") ? prefix : prefix + "/";
        return (path + "/").startsWith(whole);
    }

    private static String path(URI uri) {
        return uri.getRawPath() == null ? "" : uri.getRawPath();
    }

    private static int port(URI uri) {
        int usual = uri.getScheme().equals("https") ? 443 : 80;
        return uri.getPort() < 0 ? usual : uri.getPort();
    }
}
