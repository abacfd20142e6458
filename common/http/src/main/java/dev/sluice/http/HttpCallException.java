package dev.sluice.http;

import java.net.URI;
import org.jspecify.annotations.Nullable;

/** A call that gave no usable reply. The message names the method, the URL, the reason and the first bytes of the reply. */
public final class HttpCallException extends RuntimeException {

    /** Why a call failed; decides what the caller can do about it. */
    public enum Reason {
        /** No connection, or it broke: nobody listens, or the process died. */
        UNREACHABLE,
        /** The reply was not complete when the deadline passed. */
        DEADLINE,
        /** The reply is longer than the endpoint's limit. */
        REPLY_TOO_LARGE,
        /** A complete reply whose status is not 2xx. */
        STATUS,
        /** A 2xx reply that is not the JSON that was expected. */
        NOT_UNDERSTOOD,
        /** The calling thread was interrupted; its interrupt flag is set. */
        INTERRUPTED
    }

    private static final int REQUEST_TIMEOUT = 408;
    private static final int TOO_MANY_REQUESTS = 429;

    private final transient Reason reason;
    private final transient HttpCall call;
    private final transient @Nullable HttpReply reply;

    HttpCallException(
            Reason reason, HttpCall call, URI uri, String what, @Nullable HttpReply reply, @Nullable Throwable cause) {
        super(call.method() + " " + uri + ": " + what, cause);
        this.reason = reason;
        this.call = call;
        this.reply = reply;
    }

    public Reason reason() {
        return reason;
    }

    /** Whether the same call may succeed a little later. A reply that is wrong would be wrong again. */
    public boolean mayPass() {
        return switch (reason) {
            case UNREACHABLE -> true;
            case STATUS -> status() >= 500 || status() == TOO_MANY_REQUESTS || status() == REQUEST_TIMEOUT;
            case DEADLINE, REPLY_TOO_LARGE, NOT_UNDERSTOOD, INTERRUPTED -> false;
        };
    }

    public HttpCall call() {
        return call;
    }

    /** The reply, where one arrived completely ({@link Reason#STATUS}, {@link Reason#NOT_UNDERSTOOD}). */
    public @Nullable HttpReply reply() {
        return reply;
    }

    /** The HTTP status, or 0 where no complete reply arrived. */
    public int status() {
        return reply == null ? 0 : reply.status();
    }
}
