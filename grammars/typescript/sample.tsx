import React, { useState } from "react";

interface Props {
  items: Item[];
}

/** A list of items. */
export function List({ items }: Props): JSX.Element {
  const [open, setOpen] = useState(false);
  if (items.length === 0) {
    return <p>It's empty</p>;
  }
  return (
    <ul className="list" onClick={() => setOpen(!open)}>
      {items.map((item) => (
        <li key={item.id}>{item.name}</li>
      ))}
      {open && <Footer />}
    </ul>
  );
}

export const Footer = React.memo(() => <footer>{"end"}</footer>);

describe("List", () => {
  const helper = () => 1;
  it("shows what it holds", async () => {
    expect(helper()).toBe(1);
  });
});
