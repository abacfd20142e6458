package dev.sluice.domain.guard;

import dev.sluice.events.TrainingRequest.Guard;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * Counts, for each guard, the steps in a row that are above its bound. A guard trips once, and again only after a step below. Fed
 * with the steps of a log from its beginning it says the same each time. Not for several threads.
 */
public final class GuardWatch {
    private final List<Guard> guards;
    private final int[] above;

    public GuardWatch(List<Guard> guards) {
        this.guards = List.copyOf(guards);
        this.above = new int[guards.size()];
    }

    /**
     * Takes the figures of the next step; a figure that it lacks changes nothing.
     *
     * @return guards that trip with this step, in the request's order
     */
    public List<GuardTrip> observe(int step, Map<String, Double> figures) {
        List<GuardTrip> trips = new ArrayList<>();
        for (int i = 0; i < above.length; i++) {
            Guard guard = guards.get(i);
            Double value = figures.get(guard.figure());
            if (value != null) {
                above[i] = value > guard.above() ? above[i] + 1 : 0;
                if (above[i] == guard.forSteps()) {
                    trips.add(new GuardTrip(guard, step, value));
                }
            }
        }
        return trips;
    }

    /** Steps were taken back: what follows is counted anew. */
    public void forget() {
        java.util.Arrays.fill(above, 0);
    }
}
