package dev.sluice.domain.slime;

import org.jspecify.annotations.Nullable;

/**
 * A flag that slime, Megatron or SGLang understands.
 *
 * @param name with both dashes, as slime's scripts spell it
 * @param standard the value that counts where a script does not give the flag, absent where there is none
 */
record KnownFlag(
        String name, Owner owner, Arity arity, @Nullable String standard, Treatment treatment) {
    static final String SGLANG = "--sglang-";

    /** Whose flag it is. */
    enum Owner {
        SLIME,
        MEGATRON,
        /** Megatron's, and slime sets its default anew. */
        BOTH,
        SGLANG
    }

    /** How many values it takes. */
    enum Arity {
        NONE("no value"),
        ONE("one value"),
        SOME("one value or more"),
        ANY("any number of values");

        private final String text;

        Arity(String text) {
            this.text = text;
        }

        boolean allows(int count) {
            return switch (this) {
                case NONE -> count == 0;
                case ONE -> count == 1;
                case SOME -> count >= 1;
                case ANY -> true;
            };
        }

        static Arity of(String symbol) {
            return switch (symbol) {
                case "0" -> NONE;
                case "1" -> ONE;
                case "+" -> SOME;
                case "*" -> ANY;
                default -> throw new IllegalStateException("no flag takes \"" + symbol + "\" values");
            };
        }

        @Override
        public String toString() {
            return text;
        }
    }

    /** Whether the two mean the same: as numbers where both are, else as texts. */
    static boolean same(String one, String other) {
        try {
            return Double.compare(Double.parseDouble(one), Double.parseDouble(other)) == 0;
        } catch (NumberFormatException e) {
            return one.equals(other);
        }
    }

    /** Whether the value is the one that counts without the flag. */
    boolean isStandard(String value) {
        return standard != null && same(standard, value);
    }

    /** Whether the value decides anything about the request. */
    boolean matters() {
        return switch (treatment) {
            case Treatment.Given given -> !given.accepted().isEmpty();
            case Treatment.Maps ignored -> true;
            case Treatment.Joins ignored -> true;
            case Treatment.Megatron ignored -> true;
            case Treatment.Sglang ignored -> true;
            case Treatment.Unsupported ignored -> false;
            case Treatment.Shape ignored -> false;
        };
    }
}
