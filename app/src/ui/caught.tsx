// Where what breaks is caught.

import { Component, type ReactNode } from "react";
import { FailureText, Note } from "./parts.tsx";

/** A part that breaks says so, and leaves the others alone. */
export class Caught extends Component<{ children: ReactNode }, { error: unknown }> {
  override state: { error: unknown } = { error: undefined };

  static getDerivedStateFromError(error: unknown): { error: unknown } {
    return { error };
  }

  override render(): ReactNode {
    if (this.state.error === undefined) return this.props.children;
    return (
      <Note mood="bad" live>
        <FailureText thrown={this.state.error} />
      </Note>
    );
  }
}
