package dev.sluice.planner;

import dev.sluice.domain.plan.PlanDocument;
import dev.sluice.domain.plan.Verdict;
import dev.sluice.domain.request.Facts.Purpose;
import dev.sluice.domain.request.RunId;
import dev.sluice.domain.run.Run;
import dev.sluice.domain.run.RunDesk;
import dev.sluice.events.Problem;
import dev.sluice.events.RunRequest.CancellationRequested;
import dev.sluice.events.RunRequest.TrainingRequested;
import jakarta.ws.rs.Consumes;
import jakarta.ws.rs.DefaultValue;
import jakarta.ws.rs.GET;
import jakarta.ws.rs.NotFoundException;
import jakarta.ws.rs.POST;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.PathParam;
import jakarta.ws.rs.Produces;
import jakarta.ws.rs.QueryParam;
import jakarta.ws.rs.core.MediaType;
import jakarta.ws.rs.core.Response;
import java.net.URI;
import java.util.List;
import org.eclipse.microprofile.openapi.annotations.Operation;
import org.eclipse.microprofile.openapi.annotations.media.Content;
import org.eclipse.microprofile.openapi.annotations.media.Schema;
import org.eclipse.microprofile.openapi.annotations.responses.APIResponse;
import org.jspecify.annotations.Nullable;

/** Runs over HTTP: requests go to the topic as any client's would, and states come from the log. */
@Path("/v1")
@Produces(MediaType.APPLICATION_JSON)
public class RunsResource {
    static final String YAML = "application/yaml";
    private static final int UNPROCESSABLE = 422;
    private static final int MAX_LISTED = 1000;

    private final RequestCheck check;
    private final RunKeeper keeper;
    private final RequestPublisher publisher;

    RunsResource(RequestCheck check, RunKeeper keeper, RequestPublisher publisher) {
        this.check = check;
        this.keeper = keeper;
        this.publisher = publisher;
    }

    @POST
    @Path("/runs")
    @Consumes({MediaType.APPLICATION_JSON, YAML, "application/x-yaml", "text/yaml", MediaType.TEXT_PLAIN})
    @Operation(summary = "Ask for a training run; the body is a request in YAML or JSON")
    @APIResponse(responseCode = "202", description = "Checked and published; the run's events tell the rest")
    @APIResponse(responseCode = "400", description = "The body or the runId cannot be read")
    @APIResponse(responseCode = "409", description = "The runId belongs to another request")
    @APIResponse(
            responseCode = "422",
            description = "The request cannot run; every problem is listed",
            content = @Content(schema = @Schema(implementation = Answer.class)))
    public Response ask(
            byte[] body,
            @QueryParam("runId") @Nullable String runId,
            @QueryParam("dryRun") @DefaultValue("false") boolean dryRun) {
        RequestDocument document = RequestDocument.ofBody(body);
        if (document.root() == null) {
            return refuse(400, "request.syntax", "", "the body is no request: " + document.error());
        }
        if (runId != null && !RunId.isValid(runId)) {
            return refuse(400, "request.run-id", "runId", "runId must match " + RunId.PATTERN);
        }
        return switch (check.check(document.root(), Purpose.RUN)) {
            case Verdict.Infeasible infeasible ->
                answer(UNPROCESSABLE, Answer.infeasible(runId, infeasible.problems()));
            case Verdict.Feasible feasible -> ask(runId, feasible, dryRun);
        };
    }

    private Response ask(@Nullable String asked, Verdict.Feasible feasible, boolean dryRun) {
        String runId = asked != null ? asked : RunId.of(feasible.request().name(), feasible.requestSha256());
        if (dryRun) {
            return answer(200, Answer.feasible(runId, feasible, true));
        }
        if (keeper.ask(desk -> desk.taken(runId, feasible.requestSha256()))) {
            return answer(409, Answer.infeasible(runId, List.of(RunDesk.conflict(runId))));
        }
        publisher.publish(new TrainingRequested(runId, feasible.request()));
        return Response.accepted(Answer.feasible(runId, feasible, false))
                .location(URI.create("/v1/runs/" + runId))
                .build();
    }

    @POST
    @Path("/plans")
    @Consumes({MediaType.APPLICATION_JSON, YAML, "application/x-yaml", "text/yaml", MediaType.TEXT_PLAIN})
    @Operation(
            summary = "Plan a request without running it, perhaps for other machines",
            description = "Answers {feasible, problems, model, training, rollout, prediction, choices, ...}, as"
                    + " \"sluice plan --json\" does")
    @APIResponse(responseCode = "200", description = "It can run like this")
    @APIResponse(responseCode = "400", description = "The body cannot be read")
    @APIResponse(responseCode = "422", description = "It cannot run; every problem is listed")
    public Response plan(byte[] body) {
        RequestDocument document = RequestDocument.ofBody(body);
        if (document.root() == null) {
            return refuse(400, "request.syntax", "", "the body is no request: " + document.error());
        }
        Verdict verdict = check.check(document.root(), Purpose.PLAN);
        return Response.status(verdict instanceof Verdict.Feasible ? 200 : UNPROCESSABLE)
                .entity(PlanDocument.of(verdict))
                .build();
    }

    @GET
    @Path("/runs")
    @Operation(summary = "The newest runs, newest first")
    public List<RunView.Line> list() {
        return keeper.ask(desk -> {
            List<RunView.Line> lines =
                    desk.runs().stream().map(RunView.Line::of).toList();
            return lines.reversed().stream().limit(MAX_LISTED).toList();
        });
    }

    @GET
    @Path("/runs/{runId}")
    @Operation(summary = "A run with its plan and its instances")
    public RunView one(@PathParam("runId") String runId) {
        return RunView.of(known(runId));
    }

    @POST
    @Path("/runs/{runId}/cancel")
    @Operation(summary = "End a run; what is trained so far is saved and exported")
    @APIResponse(responseCode = "202", description = "Published")
    @APIResponse(responseCode = "409", description = "The run has ended already")
    public Response cancel(
            @PathParam("runId") String runId,
            @QueryParam("reason") @DefaultValue("a client asked for it") String reason) {
        Run run = known(runId);
        if (run.phase().ended()) {
            return refuse(409, "run.ended", "runId", "run %s is %s already".formatted(runId, run.phase()));
        }
        publisher.publish(new CancellationRequested(runId, reason));
        return Response.accepted(RunView.of(run)).build();
    }

    private Run known(String runId) {
        Run run = keeper.ask(desk -> desk.run(runId));
        if (run == null) {
            throw new NotFoundException("no run is called " + runId);
        }
        return run;
    }

    private static Response refuse(int status, String rule, String path, String message) {
        return answer(
                status,
                Answer.infeasible(null, List.of(Problem.error(rule, path, message, "correct it and ask again"))));
    }

    private static Response answer(int status, Answer answer) {
        return Response.status(status).entity(answer).build();
    }
}
