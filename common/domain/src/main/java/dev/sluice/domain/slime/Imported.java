package dev.sluice.domain.slime;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.sluice.domain.candidate.Flags;
import dev.sluice.domain.candidate.ScriptFlags;
import dev.sluice.domain.shell.Place;
import dev.sluice.domain.slime.Finding.Severity;
import dev.sluice.events.Problem;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * What a script comes to.
 *
 * @param request the request document as far as it could be made; of use where there are no errors
 * @param asynchronous whether the next step is sampled while one trains ({@code train_async.py})
 * @param slime slime's own flags as the script gives them
 * @param megatron Megatron's flags as the script gives them, those of the model's shape among them
 * @param sglang SGLang's flags as the script gives them, in SGLang's own names
 * @param environment environment variables of engines and workers, those that a request can name
 * @param findings sorted by kind
 * @param places where the flags stand that the request's values were made of, by dotted path
 */
public record Imported(
        ObjectNode request,
        boolean asynchronous,
        Flags slime,
        Flags megatron,
        Flags sglang,
        Map<String, String> environment,
        List<Finding> findings,
        Map<String, Place> places) {
    public Imported {
        environment = Collections.unmodifiableMap(new LinkedHashMap<>(environment));
        findings = List.copyOf(findings);
        places = Map.copyOf(places);
    }

    /** Whether the request cannot stand for the script. */
    public boolean failed() {
        return findings.stream().anyMatch(finding -> finding.severity() == Severity.ERROR);
    }

    /** Errors and warnings as problems of the request; what is a mere note is not among them. */
    public List<Problem> problems() {
        return findings.stream()
                .filter(finding -> finding.severity() != Severity.NOTE)
                .map(Finding::problem)
                .toList();
    }

    /** What rules over scripts judge. The environment is the request's: the planner adds what the script lacks. */
    public ScriptFlags script() {
        return new ScriptFlags(slime.without("--train-env-vars"), megatron);
    }
}
