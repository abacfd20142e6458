package dev.sluice.domain.reward;

import java.net.URI;
import java.net.URISyntaxException;
import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** What a reward's name in a request or in a row's metadata means. */
public sealed interface RewardType {
    /** Asked over HTTP, as slime's remote_rm is. */
    String REMOTE = "remote";

    /** Before the name of a reward that an instance was given as a jar. */
    String OWN_PREFIX = "own:";

    /** Computed here from texts. */
    record Built(Reward reward) implements RewardType {}

    /** Asked over HTTP. */
    record Remote() implements RewardType {}

    /**
     * Asked over HTTP as well, under its own name: a Python package alone computes it.
     *
     * @param name such as ifbench
     */
    record Hosted(String name) implements RewardType {
        /** What to do where no address is given. */
        public String help() {
            return "the reward %1$s is computed by allenai's Python package IFBench alone: run `sluice-hooks --reward sluice_hooks.%1$s.reward` where that package is installed, and give its address as url"
                    .formatted(name);
        }
    }

    /** A {@link RewardFunction} of that name. */
    record Own(String name) implements RewardType {}

    /** No reward has that name. */
    record Unknown(String name) implements RewardType {}

    static RewardType of(String type) {
        String name = type.strip();
        if (name.equals(REMOTE) || name.equals(Names.SLIMES_REMOTE)) {
            return new Remote();
        }
        if (name.equals(Names.IFBENCH)) {
            return new Hosted(name);
        }
        Matcher own = Names.OWN.matcher(name);
        if (own.matches()) {
            return new Own(own.group(1));
        }
        return Reward.named(name).<RewardType>map(Built::new).orElseGet(() -> new Unknown(name));
    }

    /** Every name that a request can use, for messages. */
    static List<String> names() {
        return Stream.concat(Reward.names().stream(), Stream.of(REMOTE, Names.IFBENCH, "own:NAME"))
                .toList();
    }

    /** What is wrong with the address of a remote reward, if anything. */
    static Optional<String> objection(@Nullable String url) {
        if (url == null) {
            return Optional.of("the remote reward has no url");
        }
        try {
            URI uri = new URI(url);
            boolean http = "http".equals(uri.getScheme()) || "https".equals(uri.getScheme());
            boolean plain = uri.getRawUserInfo() == null && uri.getRawFragment() == null;
            return http && plain && uri.getHost() != null && url.length() <= Names.MAX_URL
                    ? Optional.empty()
                    : Optional.of(
                            "the url is no http(s) address of a host, without user and fragment, of at most %d letters"
                                    .formatted(Names.MAX_URL));
        } catch (URISyntaxException e) {
            return Optional.of("the url is no address: " + e.getReason());
        }
    }

    /** How names are spelt. */
    final class Names {
        static final String SLIMES_REMOTE = "remote_rm";
        static final String IFBENCH = "ifbench";
        static final Pattern OWN = Pattern.compile(OWN_PREFIX + "([A-Za-z0-9._-]{1,64})");
        static final int MAX_URL = 2048;

        private Names() {}
    }
}
