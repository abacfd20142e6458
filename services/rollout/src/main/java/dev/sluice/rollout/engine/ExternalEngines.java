package dev.sluice.rollout.engine;

import dev.sluice.http.HttpCallException;
import dev.sluice.rollout.assignment.Share;
import dev.sluice.sglang.SglangClient;
import java.io.IOException;
import java.net.URI;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Engines that somebody else started, at addresses that our configuration gives. Their arguments are not ours; their weights
 * are, from their adoption on. Thread-safe.
 */
public final class ExternalEngines implements EngineLauncher {
    private static final Logger LOG = LoggerFactory.getLogger(ExternalEngines.class);

    private final @Nullable String apiKey;
    private final int all;
    /** Addresses that no slot uses, the one that was let go longest ago first. */
    private final Deque<URI> free;

    /**
     * Engines at these addresses.
     *
     * @param apiKey of all of them; null where they ask for none
     * @throws IllegalArgumentException naming every address that is not an engine's or comes twice
     */
    public ExternalEngines(List<URI> addresses, @Nullable String apiKey) {
        List<String> wrong = new ArrayList<>();
        Set<URI> known = new HashSet<>();
        for (URI address : addresses) {
            boolean http = "http".equals(address.getScheme()) || "https".equals(address.getScheme());
            if (!http || address.getHost() == null) {
                wrong.add("'" + address + "' is no http or https URL");
            } else if (!known.add(address)) {
                wrong.add("'" + address + "' comes twice");
            }
        }
        if (!wrong.isEmpty()) {
            throw new IllegalArgumentException("sluice.rollout.engine.addresses: " + String.join("; ", wrong));
        }
        this.free = new ArrayDeque<>(addresses);
        this.all = addresses.size();
        this.apiKey = apiKey;
    }

    @Override
    public EngineProcess launch(String engineId, Share share, List<Integer> gpus) throws IOException {
        URI address = take();
        SglangClient client = new SglangClient(address, apiKey);
        EngineProcess.Member member;
        try {
            // Whoever used it before may have died while it was paused; then it would not even answer /health.
            client.continueGeneration();
            member = SglangEngine.asMember(client);
        } catch (HttpCallException e) {
            giveBack(address);
            throw new IOException("the external engine does not answer: " + e.getMessage(), e);
        }
        LOG.info("external engine is adopted engineId={} address={}", engineId, address);
        return new Adopted(address, new SglangEngine(client), List.of(member), () -> letGo(engineId, address, client));
    }

    /** What we asked of it must not go on: whoever uses it next would wait behind it. */
    private void letGo(String engineId, URI address, SglangClient client) {
        try {
            client.abortAll();
        } catch (HttpCallException e) {
            LOG.info("external engine is let go without an answer engineId={} address={}", engineId, address);
        } finally {
            giveBack(address);
        }
    }

    private synchronized URI take() throws IOException {
        URI address = free.poll();
        if (address == null) {
            throw new IOException("all %d addresses in sluice.rollout.engine.addresses are in use".formatted(all));
        }
        return address;
    }

    private synchronized void giveBack(URI address) {
        free.add(address);
    }
}
