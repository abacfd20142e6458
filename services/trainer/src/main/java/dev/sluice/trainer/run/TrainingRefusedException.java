package dev.sluice.trainer.run;

/** The run cannot be trained as it is, here or anywhere; the message says why and what to do. */
public class TrainingRefusedException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    public TrainingRefusedException(String message) {
        super(message);
    }

    public TrainingRefusedException(String message, Throwable cause) {
        super(message, cause);
    }
}
