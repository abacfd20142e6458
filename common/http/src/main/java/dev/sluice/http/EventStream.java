package dev.sluice.http;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.http.HttpResponse.BodySubscriber;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Flow;
import java.util.function.Consumer;

/**
 * Hands on the data of server-sent events as they come, one line an event, as inference servers send them. Other fields and
 * comments are skipped. The body that it completes with is empty.
 *
 * @see <a href="https://html.spec.whatwg.org/multipage/server-sent-events.html#event-stream-interpretation">event stream
 *     interpretation</a>
 */
final class EventStream implements BodySubscriber<byte[]> {
    private static final String DATA = "data:";

    /** Whoever reads the events cannot use them. */
    static final class ReaderFailed extends IOException {
        private final transient RuntimeException failure;

        ReaderFailed(RuntimeException failure) {
            super(failure);
            this.failure = failure;
        }

        RuntimeException failure() {
            return failure;
        }
    }

    private final long limit;
    private final Consumer<String> events;
    private final ByteArrayOutputStream line = new ByteArrayOutputStream();
    private final CompletableFuture<byte[]> body = new CompletableFuture<>();
    private Flow.Subscription subscription;

    /** @param limit of one line, bytes */
    EventStream(long limit, Consumer<String> events) {
        this.limit = limit;
        this.events = events;
    }

    @Override
    public CompletionStage<byte[]> getBody() {
        return body;
    }

    @Override
    public void onSubscribe(Flow.Subscription started) {
        subscription = started;
        // One after another: a slow reader slows the server instead of filling the heap.
        started.request(1);
    }

    @Override
    public void onNext(List<ByteBuffer> buffers) {
        try {
            for (ByteBuffer buffer : buffers) {
                read(buffer);
            }
            subscription.request(1);
        } catch (BoundedBody.TooLarge e) {
            subscription.cancel();
            body.completeExceptionally(e);
        } catch (RuntimeException e) {
            subscription.cancel();
            body.completeExceptionally(new ReaderFailed(e));
        }
    }

    private void read(ByteBuffer buffer) throws BoundedBody.TooLarge {
        while (buffer.hasRemaining()) {
            byte next = buffer.get();
            if (next == '\n') {
                ended(line.toString(StandardCharsets.UTF_8));
                line.reset();
            } else if (line.size() == limit) {
                throw new BoundedBody.TooLarge(limit);
            } else {
                line.write(next);
            }
        }
    }

    private void ended(String text) {
        if (text.startsWith(DATA)) {
            events.accept(text.substring(DATA.length()).strip());
        }
    }

    @Override
    public void onError(Throwable failure) {
        body.completeExceptionally(failure);
    }

    @Override
    public void onComplete() {
        body.complete(new byte[0]);
    }
}
