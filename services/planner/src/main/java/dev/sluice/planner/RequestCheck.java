package dev.sluice.planner;

import com.fasterxml.jackson.databind.JsonNode;
import dev.sluice.domain.plan.PlanDesk;
import dev.sluice.domain.plan.Verdict;
import dev.sluice.domain.request.Facts.Purpose;
import dev.sluice.domain.request.RequestReader;
import dev.sluice.domain.request.RequestReader.Reading;
import dev.sluice.events.Problem;
import jakarta.enterprise.context.ApplicationScoped;
import java.util.List;
import java.util.stream.Stream;
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

    Verdict check(JsonNode document, Purpose purpose) {
        return check(RequestReader.read(document), purpose);
    }

    /** What speaks against going on from the run that the request names; its cut is the trainer's to look at. */
    private List<Problem> objections(Reading reading) {
        return reading instanceof Reading.Complete complete
                ? keeper.ask(runs -> runs.objectionsToResuming(complete.request()))
                : List.of();
    }

    Verdict check(Reading reading, Purpose purpose) {
        try {
            Verdict verdict = PlanDesk.check(reading, request -> world.look(request, keeper.gpuInstances(), purpose));
            List<Problem> objections = objections(reading);
            if (objections.isEmpty()) {
                return verdict;
            }
            List<Problem> others = verdict instanceof Verdict.Infeasible infeasible ? infeasible.problems() : List.of();
            return new Verdict.Infeasible(
                    Stream.concat(objections.stream(), others.stream()).toList());
        } catch (RuntimeException e) {
            // One request that trips over our own mistake must not stop the planner for all others.
            LOG.error("a request could not be planned request={}", reading, e);
            return new Verdict.Infeasible(List.of(Problem.error(
                    "planner.failed", "", "the planner failed on this request: " + e, "report it with the request")));
        }
    }
}
