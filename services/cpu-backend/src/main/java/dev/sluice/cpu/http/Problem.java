package dev.sluice.cpu.http;

/** Why a request did not end in its handler's own answer; the owner of the server says how each is worded. */
public sealed interface Problem {

    /** The bearer token is missing or wrong. */
    record Unauthorised() implements Problem {}

    /** No route has this path. */
    record UnknownPath(String path) implements Problem {}

    /** The path exists with other methods. */
    record UnknownMethod(String method, String path) implements Problem {}

    /** The body exceeds the server's bound. */
    record BodyTooLarge(long limitBytes) implements Problem {}

    /** Too many long bodies are being served; the same call may be right later. */
    record Busy() implements Problem {}

    /** The body is not JSON, or not JSON of the expected shape. */
    record BodyNotUnderstood(String reason) implements Problem {}

    /** The handler failed. */
    record HandlerFailed(Exception cause) implements Problem {}

    /** Turns problems into answers. */
    @FunctionalInterface
    interface Wording {
        Answer answer(Problem problem);
    }
}
