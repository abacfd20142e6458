package dev.sluice.kafka;

/** The broker did not do what was asked within the deadline; the message says what and where. */
public final class KafkaUnavailableException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    public KafkaUnavailableException(String message, Throwable cause) {
        super(message, cause);
    }
}
