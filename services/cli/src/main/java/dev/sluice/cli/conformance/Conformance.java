package dev.sluice.cli.conformance;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.sluice.cli.CommandFailure;
import dev.sluice.cli.ExitCode;
import dev.sluice.cli.Terminal;
import dev.sluice.cli.Wrapped;
import dev.sluice.http.HttpCallException;
import dev.sluice.http.HttpEndpoint;
import dev.sluice.http.Json;
import java.net.URI;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.concurrent.CompletionException;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** Runs the checks against a server, one after another, and says what came of them. */
public final class Conformance {
    private final Terminal terminal;

    public Conformance(Terminal terminal) {
        this.terminal = terminal;
    }

    /**
     * What is to be checked.
     *
     * @param url base address of the server
     * @param apiKey sent as a bearer token; null sends none
     * @param clients names of the clients whose checks run; empty runs all
     * @param disruptive whether checks run that abort, pause, flush or update weights
     */
    public record Order(String url, @Nullable String apiKey, List<String> clients, boolean disruptive) {}

    /** Returns the exit code. */
    public int run(Order order) {
        Set<Check.Client> clients = clients(order.clients());
        Target target = warmTarget(order);
        List<Finding> findings = new ArrayList<>();
        for (Check check :
                all().filter(check -> clients.contains(check.client())).toList()) {
            Finding finding = find(check, target, order.disruptive());
            findings.add(finding);
            if (!terminal.json()) {
                show(finding);
            }
        }
        if (terminal.json()) {
            terminal.result(document(order, target, findings).toPrettyString());
        } else {
            terminal.result(sum(findings));
        }
        return count(findings, Finding.Outcome.FAILED) == 0 ? ExitCode.OK : ExitCode.FAILED;
    }

    private static Stream<Check> all() {
        return Stream.of(SlimeChecks.all(), VerlChecks.all(), ArealChecks.all(), OpenAiChecks.all())
                .flatMap(List::stream);
    }

    private static Set<Check.Client> clients(List<String> names) {
        Set<Check.Client> clients = EnumSet.noneOf(Check.Client.class);
        for (String name : names) {
            try {
                clients.add(Check.Client.valueOf(name.strip().toUpperCase(Locale.ROOT)));
            } catch (IllegalArgumentException e) {
                throw CommandFailure.usage("no checks are known for \"" + name + "\"; known are "
                        + String.join(
                                ", ",
                                Stream.of(Check.Client.values())
                                        .map(Conformance::word)
                                        .toList()));
            }
        }
        return clients.isEmpty() ? EnumSet.allOf(Check.Client.class) : clients;
    }

    private Target warmTarget(Order order) {
        try {
            Target target = Target.of(HttpEndpoint.at(URI.create(order.url())).withBearerToken(order.apiKey()));
            terminal.say("generating a little first: a fresh SGLang compiles kernels for a minute or two");
            target.warm();
            return target;
        } catch (IllegalArgumentException e) {
            throw CommandFailure.usage(String.valueOf(e.getMessage()));
        } catch (HttpCallException e) {
            throw CommandFailure.failed(String.valueOf(e.getMessage()));
        }
    }

    private static Finding find(Check check, Target target, boolean disruptive) {
        if (check.disruptive() && !disruptive) {
            return Finding.skipped(check, "disturbs other users of the server; runs with --disruptive");
        }
        try {
            check.probe().run(target);
            return Finding.passed(check);
        } catch (Check.Mismatch mismatch) {
            return Finding.failed(check, mismatch);
        } catch (Check.Skipped skipped) {
            return Finding.skipped(check, String.valueOf(skipped.getMessage()));
        } catch (CompletionException e) {
            if (e.getCause() instanceof Check.Mismatch mismatch) {
                return Finding.failed(check, mismatch);
            }
            throw e;
        }
    }

    private void show(Finding finding) {
        String name = "%-7s %-6s %s"
                .formatted(
                        word(finding.outcome()),
                        word(finding.check().client()),
                        finding.check().name());
        switch (finding.outcome()) {
            case PASSED -> terminal.say(name);
            case SKIPPED ->
                Wrapped.after(name + ": ", finding.expected(), terminal.columns())
                        .forEach(terminal::say);
            case FAILED -> {
                terminal.say(name);
                part("  sent     ", finding.sent());
                part("  expected ", finding.expected());
                part("  came     ", finding.came());
            }
        }
    }

    private void part(String label, String text) {
        Wrapped.after(label, text, terminal.columns()).forEach(terminal::say);
    }

    private static String sum(List<Finding> findings) {
        return "%d passed, %d failed, %d skipped"
                .formatted(
                        count(findings, Finding.Outcome.PASSED),
                        count(findings, Finding.Outcome.FAILED),
                        count(findings, Finding.Outcome.SKIPPED));
    }

    private static ObjectNode document(Order order, Target target, List<Finding> findings) {
        ObjectNode document = Json.MAPPER.createObjectNode();
        document.put("url", order.url()).set("version", target.info("version"));
        document.put("passed", count(findings, Finding.Outcome.PASSED))
                .put("failed", count(findings, Finding.Outcome.FAILED))
                .put("skipped", count(findings, Finding.Outcome.SKIPPED));
        ArrayNode checks = document.putArray("checks");
        for (Finding finding : findings) {
            ObjectNode check = checks.addObject()
                    .put("client", word(finding.check().client()))
                    .put("name", finding.check().name())
                    .put("outcome", word(finding.outcome()));
            switch (finding.outcome()) {
                case PASSED -> {}
                case SKIPPED -> check.put("reason", finding.expected());
                case FAILED ->
                    check.put("sent", finding.sent())
                            .put("expected", finding.expected())
                            .put("came", finding.came());
            }
        }
        return document;
    }

    private static long count(List<Finding> findings, Finding.Outcome outcome) {
        return findings.stream().filter(one -> one.outcome() == outcome).count();
    }

    private static String word(Enum<?> value) {
        return value.name().toLowerCase(Locale.ROOT);
    }
}
