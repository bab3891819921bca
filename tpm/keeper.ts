// Who keeps in the TPM what belongs to several clients, as a resource manager does: what the chip tells
// it of, beside the commands that it passes on itself.

export interface Keeper {
  /** Something is about to use the TPM's slots that is none of the keeper's commands. */
  giveWay(): void;
  /** The volatile state is about to be handed out: it is to have nothing that only the keeper knows. */
  moveOut(): void;
  /** The TPM is off: what it had loaded is gone. */
  powerLost(): void;
}
