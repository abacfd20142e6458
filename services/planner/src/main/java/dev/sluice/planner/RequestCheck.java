package dev.sluice.planner;

import com.fasterxml.jackson.databind.JsonNode;
import dev.sluice.domain.model.ModelSpec;
import dev.sluice.domain.plan.Planner;
import dev.sluice.domain.plan.Planner.Planning;
import dev.sluice.domain.request.Facts;
import dev.sluice.domain.request.RequestReader;
import dev.sluice.domain.request.RequestReader.Reading;
import dev.sluice.domain.request.RequestRules;
import dev.sluice.events.Problem;
import dev.sluice.events.TrainingRequest;
import jakarta.enterprise.context.ApplicationScoped;
import java.util.List;
import java.util.Objects;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** From a document to a plan or to everything that is wrong with it; publishes nothing. */
@ApplicationScoped
class RequestCheck {
    private static final Logger LOG = LoggerFactory.getLogger(RequestCheck.class);

    private final World world;
    private final RunKeeper keeper;

    RequestCheck(World world, RunKeeper keeper) {
        this.world = world;
        this.keeper = keeper;
    }

    Verdict check(JsonNode document) {
        return check(RequestReader.read(document));
    }

    Verdict check(Reading reading) {
        try {
            return switch (reading) {
                case Reading.Refused refused -> new Verdict.Infeasible(everything(refused));
                case Reading.Complete complete -> plan(complete);
            };
        } catch (RuntimeException e) {
            // One request that trips over our own mistake must not stop the planner for all others.
            LOG.error("a request could not be planned request={}", reading, e);
            return new Verdict.Infeasible(List.of(Problem.error(
                    "planner.failed", "", "the planner failed on this request: " + e, "report it with the request")));
        }
    }

    private List<Problem> everything(Reading.Refused refused) {
        TrainingRequest rest = refused.rest();
        return rest == null
                ? refused.problems()
                : refused.with(RequestRules.broken(rest, world.look(rest, keeper.gpuInstances())));
    }

    private Verdict plan(Reading.Complete complete) {
        Facts facts = world.look(complete.request(), keeper.gpuInstances());
        List<Problem> problems = RequestRules.broken(complete.request(), facts);
        if (RequestRules.reject(problems)) {
            return new Verdict.Infeasible(problems);
        }
        ModelSpec model = Objects.requireNonNull(facts.model().spec(), "a model without problems can be read");
        Planner planner = Planner.of(complete.request().backend());
        return switch (planner.plan(complete.request(), model, problems)) {
            case Planning.Planned planned ->
                new Verdict.Feasible(complete.request(), complete.sha256(), planned.plan());
            case Planning.Refused refused -> new Verdict.Infeasible(refused.problems());
        };
    }
}
