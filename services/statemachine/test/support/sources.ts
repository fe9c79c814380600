/** Pay, pack, ship; an order that is not paid in time is called off. */
export const ORDER = `
workflow:
  id: order
  type: state_machine
  context: { total: 0, items: [] }
  states:
    - name: open
      transitions:
        - { event: add, actions: { type: assign, params: { total: "\${total + event.data.price}" } } }
        - { event: pay, guard: "event.data.amount >= total", target: paid }
        - { after: 1h, target: expired }
    - name: paid
      on_enter: { type: log, params: { message: "paid \${total}" } }
      transitions: [{ event: ship, target: shipped }]
    - { name: shipped, type: final, output: { total: "\${total}" } }
    - { name: expired, type: final, output: expired }
`;

/** The same with every event that leads nowhere refused. */
export const STRICT = ORDER.replace("id: order", "id: strict\n  on_unexpected_event: refuse");
export const PATIENT = ORDER.replace("id: order", "id: patient\n  on_unexpected_event: queue");

/** Ends by a timer. */
export const SOON = `
workflow:
  id: soon
  type: state_machine
  states:
    - name: waiting
      transitions: [{ after: 5s, target: over }]
    - { name: over, type: final }
`;
