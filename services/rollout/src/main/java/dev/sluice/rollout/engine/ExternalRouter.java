package dev.sluice.rollout.engine;

import com.fasterxml.jackson.databind.JsonNode;
import dev.sluice.http.HttpCall;
import dev.sluice.http.HttpCallException;
import dev.sluice.http.HttpEndpoint;
import dev.sluice.rollout.assignment.Share;
import dev.sluice.sglang.SglangClient;
import java.io.IOException;
import java.net.URI;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * An sglang-router with its workers, used as one engine: samples go through the router, control goes to every worker, because
 * routers neither abort nor pause nor load.
 *
 * @see <a href="https://github.com/sgl-project/sglang/tree/v0.5.15.post1/sgl-model-gateway">sgl-model-gateway</a>
 */
public final class ExternalRouter implements EngineLauncher {
    private static final Logger LOG = LoggerFactory.getLogger(ExternalRouter.class);
    private static final int NOT_FOUND = 404;
    private static final int MOST_WORKERS = 256;
    private static final Duration LIST_DEADLINE = Duration.ofSeconds(10);

    private final URI router;
    private final @Nullable String apiKey;

    /**
     * A router that is asked for its workers at every adoption.
     *
     * @param router where it listens
     * @param apiKey of router and workers; null where they ask for none
     */
    public ExternalRouter(URI router, @Nullable String apiKey) {
        this.router = router;
        this.apiKey = apiKey;
    }

    @Override
    public EngineProcess launch(String engineId, Share share, List<Integer> gpus) throws IOException {
        List<URI> addresses = workers();
        List<SglangClient> workers = addresses.stream()
                .map(address -> new SglangClient(address, apiKey))
                .toList();
        List<EngineProcess.Member> members;
        try {
            workers.forEach(SglangClient::continueGeneration);
            members = workers.stream().map(SglangEngine::asMember).toList();
        } catch (HttpCallException e) {
            throw new IOException("a worker of the router does not answer: " + e.getMessage(), e);
        }
        LOG.info("router is adopted engineId={} address={} workers={}", engineId, router, addresses);
        RouterEngine engine = new RouterEngine(new SglangClient(router, apiKey), workers, () -> changes(addresses));
        return new Adopted(router, engine, members, engine::letGo);
    }

    /**
     * Addresses of all workers, in order.
     *
     * @throws IOException if the router gives none that can be used
     */
    List<URI> workers() throws IOException {
        HttpEndpoint endpoint = HttpEndpoint.at(router).withBearerToken(apiKey);
        TreeSet<URI> addresses = new TreeSet<>();
        for (String text : list(endpoint)) {
            URI address = address(text);
            if (address == null || addresses.size() == MOST_WORKERS) {
                throw new IOException("the router at %s lists the worker '%s'; up to %d http addresses are taken"
                        .formatted(router, text, MOST_WORKERS));
            }
            addresses.add(address);
        }
        if (addresses.isEmpty()) {
            throw new IOException("the router at " + router + " has no worker; register one at POST /workers");
        }
        return List.copyOf(addresses);
    }

    /** Routers up to 0.2 have {@code /list_workers}, those from 0.3 on {@code /workers}. */
    private static List<String> list(HttpEndpoint endpoint) throws IOException {
        List<String> urls = new ArrayList<>();
        try {
            JsonNode reply = endpoint.json(HttpCall.get("/workers", LIST_DEADLINE), JsonNode.class);
            reply.path("workers").forEach(worker -> urls.add(worker.path("url").asText()));
            return urls;
        } catch (HttpCallException e) {
            if (e.status() != NOT_FOUND) {
                throw new IOException("the router does not list its workers: " + e.getMessage(), e);
            }
        }
        try {
            JsonNode reply = endpoint.json(HttpCall.get("/list_workers", LIST_DEADLINE), JsonNode.class);
            reply.path("urls").forEach(url -> urls.add(url.asText()));
            return urls;
        } catch (HttpCallException e) {
            throw new IOException("the router does not list its workers: " + e.getMessage(), e);
        }
    }

    private static @Nullable URI address(String text) {
        try {
            URI address = URI.create(text);
            boolean http = "http".equals(address.getScheme()) || "https".equals(address.getScheme());
            return http && address.getHost() != null ? address : null;
        } catch (IllegalArgumentException e) {
            return null;
        }
    }

    /** Whether the workers are others than at the adoption: a new one holds weights that we have not loaded. */
    private boolean changes(List<URI> before) {
        try {
            return !workers().equals(before);
        } catch (IOException e) {
            return true;
        }
    }
}
