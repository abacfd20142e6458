package dev.sluice.domain.plan;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.sluice.events.EventJson;

/** A verdict as the JSON document that programs read: feasible, problems, and the plan's own fields beside them. */
public final class PlanDocument {
    private PlanDocument() {}

    public static ObjectNode of(Verdict verdict) {
        ObjectNode document = EventJson.mapper().createObjectNode();
        switch (verdict) {
            case Verdict.Feasible feasible -> {
                document.put("feasible", true);
                ObjectNode plan = EventJson.mapper().valueToTree(feasible.plan());
                document.set("problems", plan.remove("warnings"));
                document.setAll(plan);
            }
            case Verdict.Infeasible infeasible -> {
                document.put("feasible", false);
                document.set("problems", EventJson.mapper().valueToTree(infeasible.problems()));
                document.set("model", EventJson.mapper().valueToTree(infeasible.model()));
            }
        }
        return document;
    }
}
