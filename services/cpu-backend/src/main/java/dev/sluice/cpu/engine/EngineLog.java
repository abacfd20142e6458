package dev.sluice.cpu.engine;

import java.util.logging.ConsoleHandler;
import java.util.logging.Handler;
import java.util.logging.Level;
import java.util.logging.Logger;

/** Log lines on standard error, one line each. */
final class EngineLog {
    /** Loggers keep their level only as long as somebody holds them. */
    private static final Logger TOKENIZERS = Logger.getLogger("ai.djl");

    private EngineLog() {}

    /** Takes SGLang's level names; unknown ones count as info. */
    static void setUp(String level) {
        System.setProperty("java.util.logging.SimpleFormatter.format", "[%1$tF %1$tT.%1$tL] %4$s %5$s%6$s%n");
        Level threshold = switch (level) {
            case "debug" -> Level.FINE;
            case "warning" -> Level.WARNING;
            case "error", "critical" -> Level.SEVERE;
            default -> Level.INFO;
        };
        Logger root = Logger.getLogger("");
        for (Handler handler : root.getHandlers()) {
            root.removeHandler(handler);
        }
        Handler console = new ConsoleHandler();
        console.setLevel(threshold);
        root.addHandler(console);
        root.setLevel(threshold);
        TOKENIZERS.setLevel(Level.WARNING);
    }
}
