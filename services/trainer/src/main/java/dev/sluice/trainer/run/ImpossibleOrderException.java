package dev.sluice.trainer.run;

/** A replay was asked for what the run never had, or with settings that it cannot have; another order would do. */
public final class ImpossibleOrderException extends TrainingRefusedException {
    private static final long serialVersionUID = 1L;

    public ImpossibleOrderException(String message) {
        super(message);
    }
}
