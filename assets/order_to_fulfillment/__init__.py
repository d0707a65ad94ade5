"""Order-to-fulfillment: from an order placed to goods delivered and money booked."""
