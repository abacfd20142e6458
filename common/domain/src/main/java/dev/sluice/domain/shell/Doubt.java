package dev.sluice.domain.shell;

/**
 * Why a text may not be there when the script runs.
 *
 * @param place where the condition or the loop stands
 * @param reason such as {@code it stands under a condition that is decided when the script runs}
 */
public record Doubt(Place place, String reason) {
    static Doubt condition(Place place) {
        return new Doubt(place, "it stands under a condition that is decided when the script runs");
    }

    static Doubt loop(Place place) {
        return new Doubt(place, "it stands in a loop, which is read once");
    }
}
