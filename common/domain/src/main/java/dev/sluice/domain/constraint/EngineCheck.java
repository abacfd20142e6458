package dev.sluice.domain.constraint;

import dev.sluice.domain.candidate.Candidate;
import dev.sluice.domain.candidate.EngineSide;
import dev.sluice.domain.constraint.Constraint.Breach;
import dev.sluice.domain.constraint.Constraint.Check;
import org.jspecify.annotations.Nullable;

/** A check of an engine; it holds where nothing is sampled. */
@FunctionalInterface
interface EngineCheck {
    @Nullable
    Breach look(EngineSide engine, Candidate candidate);

    /** A check of the ranks that an engine's GPUs form. */
    @FunctionalInterface
    interface OfRanks {
        @Nullable
        Breach look(EngineRanks ranks, EngineSide engine, Candidate candidate);
    }

    static Check engine(EngineCheck check) {
        return candidate -> {
            EngineSide engine = candidate.engine();
            return engine == null ? null : check.look(engine, candidate);
        };
    }

    static Check ranks(OfRanks check) {
        return engine((engine, candidate) -> {
            EngineRanks ranks = EngineRanks.of(engine);
            return ranks == null ? null : check.look(ranks, engine, candidate);
        });
    }
}
