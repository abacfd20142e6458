package dev.sluice.dashboard;

import dev.sluice.events.InstanceSnapshot;
import io.smallrye.mutiny.Multi;
import jakarta.ws.rs.GET;
import jakarta.ws.rs.NotFoundException;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.Produces;
import jakarta.ws.rs.core.MediaType;
import java.time.Duration;
import java.util.Collection;
import java.util.List;
import org.eclipse.microprofile.openapi.annotations.Operation;
import org.jboss.resteasy.reactive.RestStreamElementType;

/** The projection as JSON and as a stream of changes. */
@Path("/api")
@Produces(MediaType.APPLICATION_JSON)
public class DashboardResource {
    private static final Duration STREAM_INTERVAL = Duration.ofMillis(500);

    private final Projection projection;

    DashboardResource(Projection projection) {
        this.projection = projection;
    }

    @GET
    @Path("/runs")
    @Operation(summary = "All runs, newest first")
    public List<RunPage.Summary> runs() {
        return projection.summaries();
    }

    @GET
    @Path("/runs/{runId}")
    @Operation(summary = "One run: phase, ledger, engines, evaluations, history and every figure by step")
    public RunPage run(String runId) {
        return projection.page(runId).orElseThrow(() -> new NotFoundException("no event names a run " + runId));
    }

    @GET
    @Path("/instances")
    @Operation(summary = "Rollout and trainer instances with their last heartbeat")
    public Collection<InstanceSnapshot> instances() {
        return projection.instances();
    }

    @GET
    @Path("/changes")
    @Produces(MediaType.SERVER_SENT_EVENTS)
    @RestStreamElementType(MediaType.APPLICATION_JSON)
    @Operation(summary = "A number that grows with every event, twice a second while it does")
    public Multi<Long> changes() {
        return Multi.createFrom()
                .ticks()
                .every(STREAM_INTERVAL)
                .onOverflow()
                .drop()
                .map(tick -> projection.revision())
                .skip()
                .repetitions();
    }
}
