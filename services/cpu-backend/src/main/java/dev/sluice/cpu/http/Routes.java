package dev.sluice.cpu.http;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Which handler answers which method and path. A path may have variables: {@code /operations/{id}}. */
public final class Routes {
    private final List<Route> routes = new ArrayList<>();

    /** Adds a route for calls that carry the server's bearer token. */
    public Routes on(String methods, String path, Handler handler) {
        return add(methods, path, handler, false);
    }

    /** Adds a route that needs no token, for probes and metrics. */
    public Routes open(String methods, String path, Handler handler) {
        return add(methods, path, handler, true);
    }

    private Routes add(String methods, String path, Handler handler, boolean open) {
        routes.add(new Route(Set.of(methods.split("\\|")), path.split("/"), handler, open));
        return this;
    }

    Match find(String method, String path) {
        String[] segments = path.split("/");
        boolean known = false;
        for (Route route : routes) {
            Map<String, String> variables = route.variables(segments);
            if (variables != null) {
                known = true;
                if (route.methods.contains(method)) {
                    return new Match(route, variables, true);
                }
            }
        }
        return new Match(null, Map.of(), known);
    }

    /** The route of a call; without one, {@code pathKnown} says whether another method would have found one. */
    record Match(@Nullable Route route, Map<String, String> variables, boolean pathKnown) {}

    @SuppressWarnings("ArrayRecordComponent")
    record Route(Set<String> methods, String[] segments, Handler handler, boolean open) {

        private @Nullable Map<String, String> variables(String[] actual) {
            if (actual.length != segments.length) {
                return null;
            }
            Map<String, String> variables = new HashMap<>();
            for (int i = 0; i < segments.length; i++) {
                String segment = segments[i];
                if (segment.startsWith("{") && segment.endsWith("}")) {
                    variables.put(segment.substring(1, segment.length() - 1), actual[i]);
                } else if (!segment.equals(actual[i])) {
                    return null;
                }
            }
            return variables;
        }
    }
}
